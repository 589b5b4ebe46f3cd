//! Content negotiation: which form an answer takes and which one a body has
//! (`apiserver/pkg/endpoints/handlers/negotiation`).

use api::decode::Media;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};

use crate::error::{ApiError, Result};
use crate::query::Query;

/// What the API offers; protobuf answers come with the kinds that typed clients read.
const OFFERED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const OFFERED_STREAMS: &str = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerMedia {
    Json,
    Yaml,
}

impl AnswerMedia {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Yaml => YAML,
        }
    }
}

/// The form in which objects are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are.
    Object,
    /// `meta.k8s.io/v1` Table.
    Table,
    /// `meta.k8s.io/v1` PartialObjectMetadata
    Metadata,
    /// `meta.k8s.io/v1` PartialObjectMetadataList
    MetadataList,
}

/// The outcome of negotiation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) media: AnswerMedia,
    pub(crate) form: Form,
    pub(crate) pretty: bool,
}

/// What the path serves, which decides what is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// One object.
    Object,
    /// A collection, which may be watched.
    Collection,
    /// A watch stream.
    Stream,
}

/// One media range of an Accept header.
struct Range<'a> {
    kind: &'a str,
    parameters: &'a str,
}

impl<'a> Range<'a> {
    /// What is wanted more comes first.
    fn all(header: &'a str) -> impl Iterator<Item = Self> {
        let ranges = header.split(',').map(|range| {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            Self { kind: kind.trim(), parameters }
        });
        let mut ranges: Vec<Self> = ranges.collect();
        ranges.sort_by(|one, other| other.quality().total_cmp(&one.quality()));
        ranges.into_iter()
    }

    fn quality(&self) -> f32 {
        self.parameter("q").and_then(|quality| quality.parse().ok()).unwrap_or(1.0)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    }

    /// The form its parameters ask for; `None` for one that is not offered.
    fn form(&self) -> Option<Form> {
        let known = self.parameter("g") == Some("meta.k8s.io") && self.parameter("v") == Some("v1");
        match self.parameter("as") {
            None => Some(Form::Object),
            Some("Table") if known => Some(Form::Table),
            Some("PartialObjectMetadata") if known => Some(Form::Metadata),
            Some("PartialObjectMetadataList") if known => Some(Form::MetadataList),
            Some(_) => None,
        }
    }
}

/// Negotiates an answer. The router's check of bare media types comes first, then the parameters.
pub(crate) fn accept(headers: &HeaderMap, query: &Query<'_>, offer: Offer) -> Result<Accepted> {
    let header = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let pretty = pretty(headers, query);
    if header.is_empty() || header == JSON || header == "*/*" {
        return Ok(Accepted { media: AnswerMedia::Json, form: Form::Object, pretty });
    }
    let routed = |range: &Range<'_>| range.kind == "*/*" || [JSON, YAML, PROTOBUF].contains(&range.kind);
    if !Range::all(header).any(|range| routed(&range)) {
        let streams = if offer == Offer::Object { String::new() } else { format!(", {OFFERED_STREAMS}") };
        return Err(ApiError::not_acceptable_route(&format!("{OFFERED}{streams}")));
    }
    let chosen = Range::all(header).find_map(|range| {
        let media = match range.kind {
            JSON | "*/*" | "application/*" => AnswerMedia::Json,
            YAML if offer != Offer::Stream => AnswerMedia::Yaml,
            _ => return None,
        };
        Some(Accepted { media, form: range.form()?, pretty })
    });
    chosen.ok_or_else(|| {
        let offered = if offer == Offer::Stream { OFFERED_STREAMS } else { OFFERED };
        ApiError::not_acceptable(offered)
    })
}

/// The media type for an error: what was asked for if it can be had, else indented JSON.
pub(crate) fn accept_error(headers: &HeaderMap, query: &Query<'_>) -> Accepted {
    let header = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let plain = Accepted { media: AnswerMedia::Json, form: Form::Object, pretty: pretty(headers, query) };
    if header.is_empty() {
        return plain;
    }
    let media =
        Range::all(header).filter(|range| range.form() == Some(Form::Object)).find_map(|range| match range.kind {
            JSON | "*/*" | "application/*" => Some(AnswerMedia::Json),
            YAML => Some(AnswerMedia::Yaml),
            _ => None,
        });
    match media {
        Some(media) => Accepted { media, ..plain },
        None => Accepted { pretty: true, ..plain },
    }
}

/// `pretty=1`, or a person's program that did not say `pretty=0`.
fn pretty(headers: &HeaderMap, query: &Query<'_>) -> bool {
    if let Some(asked) = query.get("pretty") {
        return !matches!(asked.to_ascii_lowercase().as_str(), "0" | "f" | "false");
    }
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0")
}

/// The media type of a request's body; none given means JSON.
pub(crate) fn body_media(headers: &HeaderMap) -> Result<Media> {
    match content_type(headers).as_str() {
        "" | JSON => Ok(Media::Json),
        YAML => Ok(Media::Yaml),
        PROTOBUF => Ok(Media::Protobuf),
        _ => Err(ApiError::unsupported_media(OFFERED)),
    }
}

/// The media type of the body without parameters, in lower case; a malformed one is given as it is.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the client takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let header = headers.get(http::header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(',').any(|coding| coding.split(';').next().unwrap_or_default().trim() == "gzip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_more_wins() {
        let check = |header: &'static str, wanted| {
            let headers = HeaderMap::from_iter([(ACCEPT, http::HeaderValue::from_static(header))]);
            let accepted = accept(&headers, &Query::default(), Offer::Object).map(|accepted| accepted.media);
            assert_eq!(accepted.map_err(|error| error.code), wanted, "{header}");
        };
        check("application/json;q=0.5, application/yaml", Ok(AnswerMedia::Yaml));
        check("application/yaml;q=0.1, application/json;q=0.2", Ok(AnswerMedia::Json));
        check("application/yaml, application/json", Ok(AnswerMedia::Yaml));
        check("application/vnd.kubernetes.protobuf", Err(406));
        check("text/html", Err(406));
    }
}
