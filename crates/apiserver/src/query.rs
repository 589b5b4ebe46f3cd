//! Query parameters and the options made of them
//! (`apimachinery/pkg/apis/meta/v1/validation`, `.../internalversion/validation`).

use std::borrow::Cow;
use std::time::Duration;

use api::decode::FieldValidation;
use api::field::{FieldError, Path, Verbatim, quote};
use api::resources::Resource;
use api::selector::{FieldSelector, LabelSelector};
use percent_encoding::percent_decode_str;

use crate::error::{ApiError, Result};

/// Timeouts beyond it are as good as none, and clocks cannot add them.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The parameters of a request; of one that comes twice the first counts, as Go's `url.Values.Get`.
#[derive(Default)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Parses as `url.ParseQuery`: pairs with a bad escape or a semicolon are left out.
    pub(crate) fn parse(text: Option<&'a str>) -> Self {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        Self(
            pairs
                .filter_map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    Some((unescape(name)?, unescape(value)?))
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// Go's `Convert_Slice_string_To_bool`: anything but an empty text, `0` and `false` is true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "0" | "false"))
    }

    /// A number, refused with the words of `strconv.ParseInt`.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        text.parse().map(Some).map_err(|error: std::num::ParseIntError| {
            let why = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            ApiError::bad_request(format!("strconv.ParseInt: parsing {}: {why}", quote(text)))
        })
    }

    /// The text of a parameter; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Whether a GET of a collection is a watch.
    pub(crate) fn is_watch(&self) -> bool {
        self.flag("watch")
    }
}

/// `url.QueryUnescape`
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let well_formed = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)));
    let spaced = text.replace('+', " ");
    well_formed.then(|| Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned()))
}

/// `CreateOptions`, `UpdateOptions` or `PatchOptions`: what all writes of an object have.
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) field_manager: String,
    pub(crate) field_validation: FieldValidation,
    /// `force` of server-side apply.
    pub(crate) force: bool,
}

impl WriteOptions {
    /// `kind` is the options' kind for error texts; `apply` that the request is a server-side apply.
    pub(crate) fn parse(query: &Query<'_>, kind: &str, apply: bool) -> Result<Self> {
        let mut errors = Vec::new();
        let field_manager = query.text("fieldManager").to_owned();
        if kind == "PatchOptions" {
            check_patch_options(query, apply, &mut errors);
        }
        check_field_manager(&field_manager, &mut errors);
        let dry_run = check_dry_run(query, &mut errors);
        let field_validation = match query.text("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                errors.push(FieldError::not_supported(&Path::new("fieldValidation"), other, &supported));
                FieldValidation::Warn
            }
        };
        if errors.is_empty() {
            Ok(Self { dry_run, field_manager, field_validation, force: query.flag("force") })
        } else {
            Err(ApiError::invalid_options(kind, errors))
        }
    }

    /// The manager of managedFields: the option, else the first word of the User-Agent (`managerOrUserAgent`).
    pub(crate) fn manager(&self, user_agent: &str) -> String {
        if !self.field_manager.is_empty() {
            return self.field_manager.clone();
        }
        let program = user_agent.split('/').next().unwrap_or_default();
        let printable = program.chars().filter(|character| !character.is_control());
        let mut manager = String::new();
        for character in printable {
            if manager.len() + character.len_utf8() > 128 {
                break;
            }
            manager.push(character);
        }
        manager
    }
}

fn check_patch_options(query: &Query<'_>, apply: bool, errors: &mut Vec<FieldError>) {
    if apply {
        if query.text("fieldManager").is_empty() {
            errors.push(FieldError::required(&Path::new("fieldManager"), "is required for apply patch"));
        }
    } else if query.get("force").is_some() {
        errors.push(FieldError::forbidden(&Path::new("force"), "may not be specified for non-apply patch"));
    }
}

/// `ValidateFieldManager`
fn check_field_manager(manager: &str, errors: &mut Vec<FieldError>) {
    let field = Path::new("fieldManager");
    if manager.len() > 128 {
        errors.push(FieldError::too_long(&field, 128));
    }
    for (at, character) in manager.chars().enumerate() {
        if character.is_control() {
            let detail = format!("invalid character U+{:04X} (at position {at})", character as u32);
            errors.push(FieldError::invalid(&field, manager, detail));
        }
    }
}

/// `ValidateDryRun`
pub(crate) fn check_dry_run(query: &Query<'_>, errors: &mut Vec<FieldError>) -> bool {
    let given: Vec<&str> = query.all("dryRun").collect();
    check_dry_run_values(&given, errors)
}

/// As above, for values from a query or a body.
pub(crate) fn check_dry_run_values(given: &[&str], errors: &mut Vec<FieldError>) -> bool {
    if given.iter().any(|value| *value != "All") {
        let quoted: Vec<String> = given.iter().map(|value| quote(value)).collect();
        let shown = format!("[{}]", quoted.join(","));
        errors.push(FieldError::not_supported(&Path::new("dryRun"), Verbatim(&shown), &["All"]));
    }
    !given.is_empty()
}

/// `resourceVersionMatch`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Unset,
    Exact,
    NotOlderThan,
}

/// `ListOptions` of a list or a watch.
pub(crate) struct ListOptions {
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    pub(crate) limit: usize,
    pub(crate) continue_token: String,
    /// As given; empty where it is not.
    pub(crate) resource_version: String,
    pub(crate) version_match: Match,
    pub(crate) timeout: Option<Duration>,
    pub(crate) bookmarks: bool,
    /// `None` where it is not given, which means something else than `false`.
    pub(crate) send_initial_events: Option<bool>,
}

impl ListOptions {
    /// Parses and validates for this row. `name` is that of a watch on one object.
    pub(crate) fn parse(query: &Query<'_>, row: &Resource, watch: bool, name: Option<&str>) -> Result<Self> {
        let limit = query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(0);
        let timeout = query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
        let labels = LabelSelector::parse(query.text("labelSelector"))
            .map_err(|error| ApiError::bad_request(error.to_string()))?;
        let fields = field_selector(query.text("fieldSelector"), row, name)?;
        let version_match = match query.text("resourceVersionMatch") {
            "Exact" => Match::Exact,
            "NotOlderThan" => Match::NotOlderThan,
            _ => Match::Unset,
        };
        let errors = validate_list(query, watch);
        if !errors.is_empty() {
            return Err(ApiError::invalid_options("ListOptions", errors));
        }
        Ok(Self {
            labels,
            fields,
            limit: if watch { 0 } else { limit },
            continue_token: query.text("continue").to_owned(),
            resource_version: query.text("resourceVersion").to_owned(),
            version_match,
            timeout: timeout.filter(|seconds| *seconds > 0).map(Duration::from_secs).map(|it| it.min(LONGEST_TIMEOUT)),
            bookmarks: query.flag("allowWatchBookmarks"),
            send_initial_events: query.get("sendInitialEvents").map(|_| query.flag("sendInitialEvents")),
        })
    }
}

/// The fields selected on; a watch on one object selects its name as well.
fn field_selector(text: &str, row: &Resource, name: Option<&str>) -> Result<FieldSelector> {
    let text = match name.filter(|name| !name.is_empty()) {
        None => Cow::Borrowed(text),
        Some(name) if text.is_empty() => Cow::Owned(format!("metadata.name={name}")),
        Some(name) => Cow::Owned(format!("{text},metadata.name={name}")),
    };
    let fields = FieldSelector::parse(&text).map_err(|error| ApiError::bad_request(error.to_string()))?;
    fields
        .rename(|field| api::resources::check_field_label(row, field).map(str::to_owned).map_err(ApiError::bad_request))
}

/// `ValidateListOptions`
fn validate_list(query: &Query<'_>, watch: bool) -> Vec<FieldError> {
    let field = Path::new("resourceVersionMatch");
    let asked = query.text("resourceVersionMatch");
    if watch && query.get("sendInitialEvents").is_none() && asked.is_empty() && query.text("continue").is_empty() {
        return Vec::new();
    }
    if watch {
        return validate_watch(query, asked, &field);
    }
    let mut errors = Vec::new();
    if query.get("sendInitialEvents").is_some() {
        errors.push(FieldError::forbidden(&Path::new("sendInitialEvents"), "sendInitialEvents is forbidden for list"));
    }
    if asked.is_empty() {
        return errors;
    }
    if query.text("resourceVersion").is_empty() {
        errors.push(FieldError::forbidden(
            &field,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ));
    }
    if !query.text("continue").is_empty() {
        errors.push(FieldError::forbidden(&field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if !matches!(asked, "Exact" | "NotOlderThan") {
        errors.push(FieldError::not_supported(&field, asked, &["Exact", "NotOlderThan", ""]));
    }
    if asked == "Exact" && query.text("resourceVersion") == "0" {
        let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        errors.push(FieldError::forbidden(&field, why));
    }
    errors
}

/// `validateWatchOptions`
fn validate_watch(query: &Query<'_>, asked: &str, field: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let initial = query.get("sendInitialEvents").is_some();
    if initial && asked != "NotOlderThan" {
        errors.push(FieldError::forbidden(
            field,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ));
    }
    if !asked.is_empty() {
        if !initial {
            errors.push(FieldError::forbidden(
                field,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if asked != "NotOlderThan" {
            errors.push(FieldError::not_supported(field, asked, &["NotOlderThan"]));
        }
    }
    if !query.text("continue").is_empty() {
        errors.push(FieldError::forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    errors
}

/// A revision a client sent; `None` where it gave none.
pub(crate) fn parse_revision(text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let why = if digits { "value out of range" } else { "invalid syntax" };
    let parsed = if digits { text.parse().ok() } else { None };
    parsed.map(Some).ok_or_else(|| {
        let quoted = quote(text);
        format!("resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: {why}")
    })
}
