//! Answers as bytes: objects, lists, Tables and metadata in the form and media type that were negotiated.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::Arc;

use api::resources::Resource;
use api::table::{self, Head, ListMeta, Row, Version};
use api::value::Value;
use bytes::Bytes;

pub(crate) use api::table::Include;

use crate::body::Body;
use crate::cache::Entry;
use crate::error::{ApiError, Result};
use crate::list_body::ListBody;
use crate::negotiate::{Accepted, AnswerMedia, Form};
use crate::registry::{Content, List, face};

/// Answers above this are compressed for clients that take gzip (`defaultGzipThresholdBytes`).
const GZIP_FROM: usize = 128 << 10;

/// How much work an answer is before its first byte, for [`crate::blocking::long`]; what is only copied is copied later.
pub(crate) fn work(row: &Resource, content: &Content, accepted: Accepted) -> usize {
    if is_ready(accepted) && accepted.form == Form::Object && row.conversion.is_none() {
        return 0;
    }
    match content {
        Content::Object(entry) => entry.json.len(),
        Content::List(list) => list.entries.iter().map(|entry| entry.json.len()).sum(),
        Content::Status(_) | Content::Stream(_) => 0,
    }
}

/// An answer's bytes, before compression.
pub(crate) fn content(row: &'static Resource, content: Content, accepted: Accepted, include: &str) -> Result<Body> {
    let pieces = match (content, accepted.form) {
        (Content::Object(entry), Form::Object) => VecDeque::from([face(row, &entry)?.json.clone()]),
        (Content::Object(entry), Form::Metadata) => VecDeque::from([partial_metadata(&entry).into()]),
        (Content::Object(_), Form::MetadataList) => {
            let kind = format!("*{}.{}", go_package(row), row.kind);
            return Err(unconverted("PartialObjectMetadataList", &format!("not a list ({kind})")));
        }
        (Content::Object(entry), Form::Table) => {
            let include = Include::parse(include).map_err(ApiError::bad_request)?;
            VecDeque::from([table_of_one(row, &*face(row, &entry)?, include, true).into()])
        }
        (Content::List(list), Form::Object) => {
            let long = ListBody::new(row, list)?;
            if is_ready(accepted) {
                return Ok(Body::Long(Box::new(long)));
            }
            long.collect()
        }
        (Content::List(list), form) => VecDeque::from([list_table(row, &list, form, include)?.into()]),
        (Content::Status(status), _) => return Ok(Body::full(value(&status, accepted))),
        (Content::Stream(body), _) => return Ok(body),
    };
    if is_ready(accepted) { Ok(Body::Ready(pieces)) } else { reformat(pieces, accepted) }
}

/// Whether compact JSON is what the client takes.
fn is_ready(accepted: Accepted) -> bool {
    accepted.media == AnswerMedia::Json && !accepted.pretty
}

/// `newNotAcceptableError` of `apiserver/pkg/endpoints/handlers/response.go`.
fn unconverted(asked: &str, found: &str) -> ApiError {
    ApiError::new(406, "NotAcceptable", format!("you requested {asked}, but the requested object is {found}"))
}

/// The Go package of the internal types of a group.
fn go_package(row: &Resource) -> &str {
    match row.group.split('.').next().unwrap_or_default() {
        "" => "core",
        group => group,
    }
}

/// A tree in the media type that was negotiated.
pub(crate) fn value(value: &Value, accepted: Accepted) -> Vec<u8> {
    match accepted.media {
        AnswerMedia::Yaml => api::encode::yaml(value).into_bytes(),
        AnswerMedia::Json if accepted.pretty => api::encode::json_pretty(value),
        AnswerMedia::Json => api::encode::json(value),
    }
}

/// Indents or turns to YAML what is ready as compact JSON.
fn reformat(pieces: VecDeque<Bytes>, accepted: Accepted) -> Result<Body> {
    let whole = pieces.into_iter().fold(Vec::new(), |mut whole, piece| {
        whole.extend_from_slice(&piece);
        whole
    });
    let tree = api::decode::untyped_json(&whole).map_err(ApiError::internal)?;
    Ok(Body::full(value(&tree.value, accepted)))
}

/// A list as metadata or Table.
fn list_table(row: &'static Resource, list: &List, form: Form, include: &str) -> Result<Vec<u8>> {
    let revision = list.revision.to_string();
    let meta = ListMeta { revision: &revision, token: &list.continue_token, remaining: list.remaining };
    if form == Form::Metadata {
        let kind = format!("*{}.{}List", go_package(row), row.kind);
        return Err(unconverted("PartialObjectMetadata", &format!("a list ({kind})")));
    }
    let mut out = Vec::with_capacity(list.entries.len() * 512 + 1024);
    if form == Form::MetadataList {
        table::write_metadata_list(&mut out, Version::V1, meta, list.entries.iter().map(|entry| entry.metadata()));
    } else {
        let include = Include::parse(include).map_err(ApiError::bad_request)?;
        let faces = list.entries.iter().map(|entry| face(row, entry)).collect::<Result<Vec<_>>>()?;
        table::write(&mut out, &head(row, meta, include, true), faces.iter().map(|entry| table_row(entry)));
    }
    Ok(out)
}

fn head<'a>(row: &'a Resource, list: ListMeta<'a>, include: Include, columns: bool) -> Head<'a> {
    Head {
        version: Version::V1,
        columns: columns.then_some(row.columns),
        list,
        include,
        now: crate::registry::now_seconds(),
    }
}

fn table_row(entry: &Arc<Entry>) -> Row<'_> {
    row_of(entry)
}

fn row_of(entry: &Entry) -> Row<'_> {
    let phase = entry.summary.fields.iter().find(|(field, _)| *field == "status.phase").map(|(_, phase)| &**phase);
    let phase = phase.filter(|phase| matches!(*phase, "Succeeded" | "Failed"));
    Row { cells: &entry.summary.cells, object: &entry.json, metadata: entry.metadata(), phase }
}

/// A Table of one object, as GET and watch show it.
pub(crate) fn table_of_one(row: &Resource, entry: &Entry, include: Include, columns: bool) -> Vec<u8> {
    let revision = if entry.revision == 0 { String::new() } else { entry.revision.to_string() };
    let meta = ListMeta { revision: &revision, ..ListMeta::default() };
    let mut out = Vec::with_capacity(entry.json.len() + 1024);
    table::write(&mut out, &head(row, meta, include, columns), std::iter::once(row_of(entry)));
    out
}

/// PartialObjectMetadata of one object.
pub(crate) fn partial_metadata(entry: &Entry) -> Vec<u8> {
    let metadata = entry.metadata();
    let mut out = Vec::with_capacity(metadata.len() + 80);
    table::write_metadata(&mut out, Version::V1, metadata);
    out
}

/// A BOOKMARK event.
pub(crate) fn bookmark((kind, api_version): (&str, &str), revision: u64, ends_initial: bool) -> Bytes {
    let mut object = Value::object();
    object.set(&["kind"], kind);
    object.set(&["apiVersion"], api_version);
    object.set(&["metadata", "resourceVersion"], revision.to_string());
    if ends_initial {
        object.set(&["metadata", "annotations", "k8s.io/initial-events-end"], "true");
    }
    let mut line = b"{\"type\":\"BOOKMARK\",\"object\":".to_vec();
    line.extend_from_slice(&api::encode::json(&object));
    line.extend_from_slice(b"}\n");
    line.into()
}

/// Compresses an answer that is worth it.
pub(crate) async fn gzip(body: Body, wanted: bool) -> Result<(Body, bool)> {
    let length = http_body::Body::size_hint(&body).exact().and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| wanted && *length >= GZIP_FROM) else { return Ok((body, false)) };
    let work = move || {
        let pieces: Vec<Bytes> = match body {
            Body::Ready(pieces) => pieces.into(),
            Body::Long(list) => list.collect(),
            // It has no length.
            Body::Stream(_) => Vec::new(),
        };
        let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(length / 2), flate2::Compression::new(1));
        for piece in &pieces {
            encoder.write_all(piece)?;
        }
        encoder.finish()
    };
    let compressed =
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
    Ok((Body::full(compressed), true))
}
