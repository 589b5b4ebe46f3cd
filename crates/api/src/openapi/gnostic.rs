//! The protobuf form of OpenAPI 2 (`openapi.v2.Document` of gnostic), for the parts that our documents have.

use serde_json::{Map, Value};

/// Encodes a document.
pub(super) fn encode(document: &Value) -> Vec<u8> {
    let mut message = Message::default();
    message.text(1, document.get("swagger"));
    if let Some(info) = document.get("info") {
        message.message(2, |inner| {
            inner.text(1, info.get("title"));
            inner.text(2, info.get("version"));
        });
    }
    message.message(8, |paths| {
        for (name, item) in fields(document.get("paths")) {
            paths.named(2, name, |message| path_item(message, item));
        }
    });
    message.message(9, |definitions| {
        for (name, one) in fields(document.get("definitions")) {
            definitions.named(1, name, |message| schema(message, one));
        }
    });
    message.0
}

fn path_item(message: &mut Message, item: &Value) {
    for (number, method) in [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")] {
        if let Some(one) = item.get(method) {
            message.message(number, |inner| operation(inner, one));
        }
    }
    for one in items(item.get("parameters")) {
        message.message(9, |inner| parameter(inner, one));
    }
}

fn operation(message: &mut Message, operation: &Value) {
    message.texts(1, operation.get("tags"));
    message.text(3, operation.get("description"));
    message.text(5, operation.get("operationId"));
    message.texts(6, operation.get("produces"));
    message.texts(7, operation.get("consumes"));
    for one in items(operation.get("parameters")) {
        message.message(8, |inner| parameter(inner, one));
    }
    message.message(9, |responses| {
        for (code, one) in fields(operation.get("responses")) {
            responses.named(1, code, |message| message.message(1, |inner| response(inner, one)));
        }
    });
    message.texts(10, operation.get("schemes"));
    message.extensions(13, operation);
}

/// `ParametersItem`
fn parameter(message: &mut Message, parameter: &Value) {
    let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
    message.message(1, |outer| match place {
        "body" => outer.message(1, |inner| {
            inner.text(2, parameter.get("name"));
            inner.text(3, parameter.get("in"));
            inner.flag(4, parameter.get("required"));
            if let Some(one) = parameter.get("schema") {
                inner.message(5, |message| schema(message, one));
            }
        }),
        // A parameter of the path lacks the field `allow_empty_value`, so the later ones have other numbers.
        "path" => outer.message(2, |inner| inner.message(4, |message| place_or_query(message, parameter, 5, 19))),
        _ => outer.message(2, |inner| inner.message(3, |message| place_or_query(message, parameter, 6, 20))),
    });
}

fn place_or_query(message: &mut Message, parameter: &Value, kind: u32, unique: u32) {
    message.flag(1, parameter.get("required"));
    message.text(2, parameter.get("in"));
    message.text(3, parameter.get("description"));
    message.text(4, parameter.get("name"));
    message.text(kind, parameter.get("type"));
    message.flag(unique, parameter.get("uniqueItems"));
}

fn response(message: &mut Message, response: &Value) {
    message.text(1, response.get("description"));
    if let Some(one) = response.get("schema") {
        message.message(2, |inner| inner.message(1, |message| schema(message, one)));
    }
}

fn schema(message: &mut Message, of: &Value) {
    message.text(1, of.get("$ref"));
    message.text(2, of.get("format"));
    message.text(4, of.get("description"));
    message.texts(19, of.get("required"));
    for value in items(of.get("enum")) {
        message.message(20, |inner| inner.yaml(value));
    }
    if let Some(one) = of.get("additionalProperties") {
        message.message(21, |inner| inner.message(1, |message| schema(message, one)));
    }
    if let Some(kind) = of.get("type") {
        message.message(22, |inner| inner.text(1, Some(kind)));
    }
    if let Some(one) = of.get("items") {
        message.message(23, |inner| inner.message(1, |message| schema(message, one)));
    }
    if let Some(properties) = of.get("properties") {
        message.message(25, |inner| {
            for (name, one) in fields(Some(properties)) {
                inner.named(1, name, |message| schema(message, one));
            }
        });
    }
    message.extensions(31, of);
}

fn fields(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A protobuf message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn bytes(&mut self, number: u32, content: &[u8]) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(content.len() as u64);
        self.0.extend_from_slice(content);
    }

    fn message(&mut self, number: u32, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(number, &inner.0);
    }

    /// An entry of a map: name and value.
    fn named(&mut self, number: u32, name: &str, fill: impl FnOnce(&mut Self)) {
        self.message(number, |entry| {
            entry.bytes(1, name.as_bytes());
            entry.message(2, fill);
        });
    }

    fn text(&mut self, number: u32, value: Option<&Value>) {
        if let Some(text) = value.and_then(Value::as_str) {
            self.bytes(number, text.as_bytes());
        }
    }

    fn texts(&mut self, number: u32, value: Option<&Value>) {
        for one in items(value) {
            self.text(number, Some(one));
        }
    }

    fn flag(&mut self, number: u32, value: Option<&Value>) {
        if value.and_then(Value::as_bool) == Some(true) {
            self.varint(u64::from(number) << 3);
            self.varint(1);
        }
    }

    /// `Any`: its text is YAML, which JSON is.
    fn yaml(&mut self, value: &Value) {
        self.bytes(2, format!("{value}\n").as_bytes());
    }

    fn extensions(&mut self, number: u32, of: &Value) {
        for (name, value) in fields(Some(of)).filter(|(name, _)| name.starts_with("x-")) {
            self.named(number, name, |any| any.yaml(value));
        }
    }
}
