//! apiVersion and kind of a body: what it says of itself, and how a wrong answer is told.
//!
//! This is the slow path of a refused body; it looks at the faults in the order in which Kubernetes finds them.

use crate::decode::json::{Kind, Parser};
use crate::decode::typed::{self, Notes, Read, Stop};
use crate::decode::{DecodeError, Decoder, Expect, go};
use crate::protobuf::{self, Envelope};
use crate::schema::{Schema, TypeId};

/// Kinds that Kubernetes registers in every group.
const EVERYWHERE: &[&str] =
    &["CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions", "WatchEvent"];
/// More kinds of `v1`.
const UNVERSIONED: &[&str] = &["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "List", "Status"];
/// The groups of Kubernetes' own scheme ; the package of their types is the first word.
const GROUPS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// What a body is, with what it leaves out filled in from the path.
pub(super) struct Identity {
    group: String,
    version: String,
    kind: String,
}

impl Identity {
    /// apiVersion of the path.
    pub(super) fn api_version(expect: &Expect<'_>) -> String {
        joined(expect.group, expect.version)
    }

    /// What the body says (`SimpleMetaFactory.Interpret`), or what makes that unreadable.
    fn interpret(text: &[u8], expect: &Expect<'_>) -> Result<Self, String> {
        let unreadable = |cause: String| format!("couldn't get version/kind; json parse error: {cause}");
        Parser::new(text).skip_whole().map_err(|error| unreadable(error.to_string()))?;
        let (api_version, kind) = said(text).map_err(unreadable)?;
        let (group, version) = match api_version.split_once('/') {
            None => ("", api_version.as_str()),
            Some(("", "")) => ("", ""),
            Some((_, rest)) if rest.contains('/') => {
                return Err(format!("unexpected GroupVersion string: {api_version}"));
            }
            Some(parts) => parts,
        };
        let (group, version) = match (group, version) {
            ("", "") => (expect.group, expect.version),
            (group, "") if group == expect.group => (group, expect.version),
            both => both,
        };
        let kind = if kind.is_empty() { expect.kind.to_owned() } else { kind };
        Ok(Self { group: group.to_owned(), version: version.to_owned(), kind })
    }

    /// What an envelope says; Kubernetes does not mind here if apiVersion is malformed.
    fn of_envelope(envelope: &Envelope<'_>, expect: &Expect<'_>) -> Self {
        let (group, version) = match split(&envelope.api_version).unwrap_or_default() {
            (_, "") => (expect.group, expect.version),
            both => both,
        };
        let kind = if envelope.kind.is_empty() { expect.kind } else { &envelope.kind };
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    fn is(&self, expect: &Expect<'_>) -> bool {
        // Options are registered in every group version.
        let is_common =
            EVERYWHERE.contains(&expect.kind) && (self.group == "meta.k8s.io" || package(&self.group).is_some());
        self.kind == expect.kind && (is_common || (self.group == expect.group && self.version == expect.version))
    }
}

/// Group and version (`schema.ParseGroupVersion`).
fn split(api_version: &str) -> Result<(&str, &str), String> {
    match api_version.split_once('/') {
        None => Ok(("", api_version)),
        Some(("", "")) => Ok(("", "")),
        Some((_, rest)) if rest.contains('/') => Err(format!("unexpected GroupVersion string: {api_version}")),
        Some(parts) => Ok(parts),
    }
}

fn joined(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The texts of apiVersion and kind; of several the last counts, and case is ignored, as in `encoding/json`.
fn said(text: &[u8]) -> Result<(String, String), String> {
    let (mut api_version, mut kind) = (String::new(), String::new());
    let mut fault = None;
    let mut json = Parser::new(text);
    match json.peek().map_err(|error| error.to_string())? {
        Kind::Object => {}
        Kind::Null => return Ok((api_version, kind)),
        other => return Err(format!("json: cannot unmarshal {} into Go value of type struct", other.word())),
    }
    let mut first = true;
    json.open().map_err(|error| error.to_string())?;
    while let Some(key) = json.key(&mut first).map_err(|error| error.to_string())? {
        let (target, name) = if go::folds_to(&key, "apiVersion") {
            (&mut api_version, "apiVersion")
        } else if go::folds_to(&key, "kind") {
            (&mut kind, "kind")
        } else {
            json.skip().map_err(|error| error.to_string())?;
            continue;
        };
        match json.peek().map_err(|error| error.to_string())? {
            Kind::String => *target = json.string().map_err(|error| error.to_string())?.into_owned(),
            other => {
                if other != Kind::Null && fault.is_none() {
                    let word = other.word();
                    fault = Some(format!("json: cannot unmarshal {word} into Go struct field .{name} of type string"));
                }
                json.skip().map_err(|error| error.to_string())?;
            }
        }
    }
    fault.map_or(Ok((api_version, kind)), Err)
}

impl Decoder<'_> {
    /// Why a body that was not read well is refused.
    pub(super) fn explain(&self, text: &[u8], read: Result<Read, Stop>) -> DecodeError {
        match Identity::interpret(text, self.expect) {
            Err(cause) => self.unrecognized(cause),
            Ok(identity) if !identity.is(self.expect) => self.foreign(&identity, |id| fault_as(self.schema, id, text)),
            Ok(identity) => {
                let cause = match read {
                    Err(Stop::Refused(fault)) | Ok(Read { fault: Some(fault), .. }) => fault,
                    // The text is JSON, so this is one of our limits.
                    Err(Stop::Syntax(limit)) => limit.to_string(),
                    Ok(_) => "unknown fault".to_owned(),
                };
                self.unhandled_as(&identity, cause)
            }
        }
    }

    /// Why a body that was read well is refused for what it says of itself, if it is.
    pub(super) fn check_identity(&self, text: &[u8]) -> Result<(), DecodeError> {
        match Identity::interpret(text, self.expect) {
            Err(cause) => Err(self.unrecognized(cause)),
            Ok(identity) if identity.is(self.expect) => Ok(()),
            Ok(identity) => Err(self.foreign(&identity, |id| fault_as(self.schema, id, text))),
        }
    }

    /// The same for a protobuf body.
    pub(super) fn check_envelope(&self, envelope: &Envelope<'_>) -> Result<(), DecodeError> {
        let identity = Identity::of_envelope(envelope, self.expect);
        if identity.is(self.expect) {
            return Ok(());
        }
        let fault = |id| protobuf::read(self.schema, id, envelope.object).err().map(|fault| fault.to_string());
        Err(self.foreign(&identity, fault))
    }

    /// A body of the right kind is refused for this.
    pub(super) fn unhandled(&self, cause: String) -> DecodeError {
        let Expect { group, version, kind, .. } = *self.expect;
        self.unhandled_as(&Identity { group: group.into(), version: version.into(), kind: kind.into() }, cause)
    }

    pub(super) fn unrecognized(&self, cause: String) -> DecodeError {
        DecodeError::Unrecognized { wanted: self.expect.kind.to_owned(), cause }
    }

    fn unhandled_as(&self, identity: &Identity, cause: String) -> DecodeError {
        let Identity { version, kind, .. } = identity;
        DecodeError::Unhandled {
            kind: kind.clone(),
            version: version.clone(),
            wanted: self.expect.kind.to_owned(),
            cause,
        }
    }

    /// Kubernetes reads a body of any kind that it knows before it finds that it is the wrong one.
    fn foreign(&self, identity: &Identity, fault_as: impl Fn(TypeId) -> Option<String>) -> DecodeError {
        let Identity { group, version, kind } = identity;
        let definition = self.definition(identity);
        if definition.is_none() && !is_common(self.schema, identity) {
            let api_version = joined(group, version);
            let cause = format!("no kind {kind:?} is registered for version {api_version:?}");
            return self.unhandled_as(identity, cause);
        }
        if let Some(definition) = definition {
            if let Some(fault) = fault_as(definition) {
                return self.unhandled_as(identity, fault);
            }
            // Both faces of events convert to one type.
            if kind == "Event" && self.expect.kind == "Event" {
                let found = joined(group, version);
                return DecodeError::OtherVersion { found, wanted: Identity::api_version(self.expect) };
            }
        }
        let wanted = self.expect.kind;
        let internal = internal_package(self.expect.group);
        self.unhandled_as(
            identity,
            format!("converting ({version}.{kind}) to ({internal}.{wanted}): unknown conversion"),
        )
    }

    /// The type of a kind that Kubernetes registers: an object with metadata.
    fn definition(&self, identity: &Identity) -> Option<TypeId> {
        let Identity { group, version, kind } = identity;
        let package = package(group)?;
        let id = self.schema.lookup(&format!("io.k8s.api.{package}.{version}.{kind}"))?;
        let found = self.schema.get(id);
        (found.field("metadata").is_some() && found.field("kind").is_some()).then_some(id)
    }
}

/// What is wrong with a text as an object of this type.
fn fault_as(schema: &Schema, id: TypeId, text: &[u8]) -> Option<String> {
    match typed::read(schema, id, Parser::new(text), Notes::Skip) {
        Err(Stop::Refused(fault)) => Some(fault),
        Ok(Read { fault, .. }) => fault,
        Err(Stop::Syntax(_)) => None,
    }
}

/// The Go package of a group's types.
fn package(group: &str) -> Option<&str> {
    match group {
        "" => Some("core"),
        known => GROUPS.contains(&known).then(|| known.split('.').next()).flatten(),
    }
}

/// The Go package of the internal types of the path's group.
fn internal_package(group: &str) -> &str {
    match group {
        // Events of both groups have one internal type.
        "events.k8s.io" => "core",
        known => package(known).unwrap_or(known),
    }
}

/// Whether this is one of the kinds that come with every version.
fn is_common(schema: &Schema, identity: &Identity) -> bool {
    let Identity { group, version, kind } = identity;
    let Some(package) = package(group) else { return false };
    let prefix = format!("io.k8s.api.{package}.{version}.");
    let everywhere =
        EVERYWHERE.contains(&kind.as_str()) && schema.types().any(|(_, one)| one.name.starts_with(&prefix));
    everywhere || (group.is_empty() && version == "v1" && UNVERSIONED.contains(&kind.as_str()))
}
