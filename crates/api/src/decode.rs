//! Bytes to objects: JSON, YAML and protobuf bodies, read against the schema with the errors of Kubernetes.
//!
//! YAML and patched trees become JSON first, as in Kubernetes, so that one reader knows all the rules.

pub(crate) mod base64;
pub(crate) mod clock;
mod go;
mod identity;
pub(crate) mod json;
#[cfg(test)]
mod properties;
pub(crate) mod scalar;
#[cfg(test)]
mod tests;
pub(crate) mod typed;
pub(crate) mod untyped;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::decode::identity::Identity;
use crate::decode::json::Parser;
use crate::decode::typed::{Notes, Read, Stop};
use crate::encode;
use crate::generated;
use crate::protobuf;
use crate::schema::{Schema, TypeId};
use crate::value::Value;
use crate::yaml;

pub use crate::decode::json::SyntaxError;

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`
    Json,
    /// `application/yaml`
    Yaml,
    /// `application/vnd.kubernetes.protobuf`
    Protobuf,
}

/// What happens to unknown and duplicate fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and the client is told.
    Warn,
    /// They are refused.
    Strict,
}

/// The kind that the path asks for.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// API group; empty for core.
    pub group: &'a str,
    /// e.g. `v1`
    pub version: &'a str,
    /// e.g. `Secret`
    pub kind: &'a str,
    /// Its schema type.
    pub definition: TypeId,
}

/// A body that was read.
#[derive(Debug)]
pub struct Decoded {
    /// The normalised object, with apiVersion and kind.
    pub value: Value,
    /// What `FieldValidation::Warn` has to tell.
    pub warnings: Vec<String>,
}

/// Why a body is refused: always a 400, with this text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The body does not say what it is.
    #[error("the object provided is unrecognized (must be of type {wanted}): {cause}")]
    Unrecognized {
        /// The kind of the path.
        wanted: String,
        /// What is wrong.
        cause: String,
    },
    /// The body says what it is, but is not that, or not what the path takes.
    #[error("{kind} in version {version:?} cannot be handled as a {wanted}: {cause}")]
    Unhandled {
        /// The kind of the body.
        kind: String,
        /// The version of the body.
        version: String,
        /// The kind of the path.
        wanted: String,
        /// What is wrong.
        cause: String,
    },
    /// The body is right, but of another version of the kind than the path.
    #[error("the API version in the data ({found}) does not match the expected API version ({wanted})")]
    OtherVersion {
        /// apiVersion of the body.
        found: String,
        /// apiVersion of the path.
        wanted: String,
    },
    /// What we wrote ourselves cannot be read.
    #[error("stored object cannot be decoded: {0}")]
    Stored(String),
}

impl DecodeError {
    /// The fault itself, as it is told of a patched object.
    pub fn cause(&self) -> String {
        match self {
            Self::Unrecognized { cause, .. } | Self::Unhandled { cause, .. } => cause.clone(),
            other => other.to_string(),
        }
    }
}

/// A tree that was read without a schema.
#[derive(Debug)]
pub struct Untyped {
    /// The tree, nulls included.
    pub value: Value,
    /// Keys that were there twice, as strict decoding tells it; the last one counts.
    pub duplicates: Vec<String>,
}

/// Reads the body of a request.
///
/// # Errors
/// When the body is no object of the expected kind, or strict validation refuses it.
pub fn object(
    expect: &Expect<'_>,
    media: Media,
    bytes: &[u8],
    validation: FieldValidation,
) -> Result<Decoded, DecodeError> {
    Decoder { schema: generated::schema(), expect, validation }.body(media, bytes)
}

/// Reads a tree without types, such as a patched object, with the same checks and texts as a body.
///
/// # Errors
/// As [`object`].
pub fn tree(expect: &Expect<'_>, tree: Value, validation: FieldValidation) -> Result<Decoded, DecodeError> {
    let text = Zeroizing::new(encode::json(&tree));
    object(expect, Media::Json, &text, validation)
}

/// Reads what [`encode::stored`] wrote.
///
/// # Errors
/// When the bytes are damaged, which a sealed store has already ruled out.
pub fn stored(definition: TypeId, bytes: &[u8]) -> Result<Value, DecodeError> {
    match typed::read(generated::schema(), definition, Parser::trusting(bytes), Notes::Skip) {
        Ok(Read { fields, fault: None, .. }) => Ok(Value::Object(fields)),
        Ok(Read { fault: Some(fault), .. }) | Err(Stop::Refused(fault)) => Err(DecodeError::Stored(fault)),
        Err(Stop::Syntax(error)) => Err(DecodeError::Stored(error.to_string())),
    }
}

/// Reads JSON without a schema: patches.
///
/// # Errors
/// When the text is no JSON.
pub fn untyped_json(bytes: &[u8]) -> Result<Untyped, SyntaxError> {
    let mut json = Parser::new(bytes);
    let mut duplicates = untyped::List::default();
    let value = untyped::value(&mut json, &mut duplicates)?;
    json.end()?;
    Ok(Untyped { value, duplicates: duplicates.found })
}

/// Why a text is no YAML, with the line; never its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct YamlError(String);

/// Reads YAML without a schema: bodies of server-side apply. Its duplicates read `line 5: key "type" already set in map`.
///
/// # Errors
/// When the first document is no YAML, or says what JSON cannot say.
pub fn untyped_yaml(bytes: &[u8]) -> Result<Untyped, YamlError> {
    // What kubectl calls YAML is mostly JSON, which is read much faster and means the same.
    if let Ok(read) = untyped_json(bytes)
        && read.duplicates.is_empty()
    {
        return Ok(read);
    }
    let read = yaml::read::read(bytes).map_err(YamlError)?;
    Ok(Untyped { value: read.value, duplicates: read.duplicates })
}

/// What go-yaml's list of errors begins with.
const YAML_ERRORS: &str = "yaml: unmarshal errors:\n";

struct Decoder<'a> {
    schema: &'a Schema,
    expect: &'a Expect<'a>,
    validation: FieldValidation,
}

impl Decoder<'_> {
    fn body(&self, media: Media, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        match media {
            Media::Json => self.json(bytes, Vec::new()),
            Media::Protobuf => self.protobuf(bytes),
            Media::Yaml => self.yaml(bytes),
        }
    }

    fn yaml(&self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        let Untyped { value, duplicates } = untyped_yaml(bytes).map_err(|fault| self.unrecognized(fault.0))?;
        let text = Zeroizing::new(encode::json(&value));
        let told = self.validation != FieldValidation::Ignore && !duplicates.is_empty();
        let strict = told.then(|| format!("{YAML_ERRORS}  {}", duplicates.join("\n  ")));
        self.json(&text, strict.into_iter().collect())
    }

    /// `earlier`: strict faults that were found before the text was JSON.
    fn json(&self, text: &[u8], earlier: Vec<String>) -> Result<Decoded, DecodeError> {
        let notes = if self.validation == FieldValidation::Ignore { Notes::Skip } else { Notes::Collect };
        let read = typed::read(self.schema, self.expect.definition, Parser::new(text), notes);
        let Ok(Read { fields, fault: None, strict, odd_identity }) = read else {
            return Err(self.explain(text, read));
        };
        let value = Value::Object(fields);
        let api_version = Identity::api_version(self.expect);
        if odd_identity || !self.is_expected(&value, &api_version) {
            self.check_identity(text)?;
        }
        let mut notes = earlier;
        notes.extend(strict);
        if self.validation == FieldValidation::Strict && !notes.is_empty() {
            return Err(self.unhandled(format!("strict decoding error: {}", notes.join(", "))));
        }
        Ok(self.decoded(value, notes.iter().flat_map(|note| warnings(note)).collect()))
    }

    fn protobuf(&self, body: &[u8]) -> Result<Decoded, DecodeError> {
        let envelope = protobuf::open(body).map_err(|fault| self.unrecognized(fault.to_string()))?;
        self.check_envelope(&envelope)?;
        let fields = protobuf::read(self.schema, self.expect.definition, envelope.object);
        let fields = fields.map_err(|fault| self.unhandled(fault.to_string()))?;
        Ok(self.decoded(Value::Object(fields), Vec::new()))
    }

    fn decoded(&self, mut value: Value, warnings: Vec<String>) -> Decoded {
        let api_version = Identity::api_version(self.expect);
        if value.text(&["apiVersion"]) != api_version {
            value.set(&["apiVersion"], api_version);
        }
        value.set_if_absent(&["kind"], self.expect.kind);
        Decoded { value, warnings }
    }

    /// Whether the body says nothing or the right thing of itself.
    fn is_expected(&self, value: &Value, api_version: &str) -> bool {
        let said =
            |field: &str, expected: &str| matches!(value.text(&[field]), text if text.is_empty() || text == expected);
        said("apiVersion", api_version) && said("kind", self.expect.kind)
    }
}

/// How strict faults are told as warnings: those of YAML one by one (`parseYAMLWarnings`).
fn warnings(note: &str) -> Vec<String> {
    match note.strip_prefix(YAML_ERRORS) {
        Some(lines) => lines.lines().map(|line| line.trim().to_owned()).collect(),
        None => vec![note.to_owned()],
    }
}
