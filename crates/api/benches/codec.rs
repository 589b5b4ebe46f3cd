//! How long a Secret of 1 KiB takes through the codec: `cargo bench -p api --bench codec`.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use api::decode::{self, Expect, FieldValidation, Media};
use api::value::Value;
use api::{encode, generated};

/// What a client sends, and what the store holds after it: 1.8 kB of JSON with 1 KiB of data.
fn stored_secret() -> Value {
    let fields =
        r#"{"f:data":{".":{},"f:payload":{}},"f:metadata":{"f:labels":{".":{},"f:app":{},"f:tier":{}}},"f:type":{}}"#;
    let data = "c2VjcmV0IHZhbHVl".repeat(86);
    let text = format!(
        r#"{{"apiVersion":"v1","data":{{"payload":"{data}"}},"kind":"Secret","metadata":{{"annotations":{{"example.com/owner":"team-a"}},"creationTimestamp":"2026-11-21T06:23:43Z","labels":{{"app":"bench","tier":"db"}},"managedFields":[{{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{fields},"manager":"kubectl-create","operation":"Update","time":"2026-11-21T06:23:43Z"}}],"name":"secret-000001","namespace":"bench","uid":"0d647dae-477b-4d40-bfb3-1716190883d9"}},"type":"Opaque"}}"#
    );
    decode::untyped_json(text.as_bytes()).map(|read| read.value).unwrap_or(Value::Null)
}

fn measure(out: &mut impl Write, name: &str, mut run: impl FnMut()) -> io::Result<()> {
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        (0..500).for_each(|_| run());
        best = best.min(start.elapsed() / 500);
    }
    writeln!(out, "{name:<40} {:>8.2} us", best.as_secs_f64() * 1e6)
}

fn main() -> io::Result<()> {
    let out = &mut io::stdout().lock();
    let Some(definition) = generated::schema().lookup("io.k8s.api.core.v1.Secret") else { return Ok(()) };
    let expect = Expect { group: "", version: "v1", kind: "Secret", definition };
    let tree = stored_secret();
    let json = encode::json(&tree);
    writeln!(out, "a Secret of {} bytes", json.len())?;
    let decoded = decode::object(&expect, Media::Json, &json, FieldValidation::Warn).map_err(io::Error::other)?.value;
    measure(out, "decode JSON, Warn", || {
        drop(black_box(decode::object(&expect, Media::Json, black_box(&json), FieldValidation::Warn)));
    })?;
    measure(out, "decode stored", || drop(black_box(decode::stored(definition, black_box(&json)))))?;
    measure(out, "decode untyped", || drop(black_box(decode::untyped_json(black_box(&json)))))?;
    measure(out, "encode JSON", || drop(black_box(encode::json(black_box(&decoded)))))?;
    measure(out, "encode stored", || drop(black_box(encode::stored(black_box(&decoded)).bytes)))?;
    measure(out, "encode YAML", || drop(black_box(encode::yaml(black_box(&decoded)))))?;
    let yaml = encode::yaml(&decoded);
    measure(out, "decode YAML, Warn", || {
        drop(black_box(decode::object(&expect, Media::Yaml, black_box(yaml.as_bytes()), FieldValidation::Warn)));
    })
}
