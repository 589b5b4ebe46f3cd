//! The Secrets that are measured: 1 KiB of data, 1.8 kB of JSON as a server returns it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The namespace that holds them.
pub(crate) const NAMESPACE: &str = "bench";

/// The name of the Secret of this number, in a series of its own.
pub(crate) fn name(series: &str, number: usize) -> String {
    format!("{series}-{number:08}")
}

/// The body of a request that creates a Secret.
pub(crate) fn body(name: &str) -> String {
    let data = data(name.len());
    format!(r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{name}"}},"data":{{{data}}},"type":"Opaque"}}"#)
}

/// The Secret of this number as a server returns it.
pub(crate) fn stored(number: usize) -> String {
    format!(r#"{{"kind":"Secret","apiVersion":"v1",{}}}"#, content(number))
}

/// A list of so many Secrets as a server returns it.
pub(crate) fn list(count: usize) -> String {
    let items: Vec<_> = (0..count).map(|number| format!("{{{}}}", content(number))).collect();
    let items = items.join(",");
    format!(r#"{{"kind":"SecretList","apiVersion":"v1","metadata":{{"resourceVersion":"100000"}},"items":[{items}]}}"#)
}

fn content(number: usize) -> String {
    let name = name("list", number);
    let data = data(number);
    format!(
        r#""metadata":{{"name":"{name}","namespace":"{NAMESPACE}","uid":"0a1b2c3d-0000-4000-8000-{number:012}","resourceVersion":"{number:06}","creationTimestamp":"2026-11-21T12:00:00Z","managedFields":[{{"manager":"kluis-bench","operation":"Update","apiVersion":"v1","time":"2026-11-21T12:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{".":{{}},"f:alpha":{{}},"f:bravo":{{}},"f:charlie":{{}},"f:delta":{{}}}},"f:type":{{}}}}}}]}},"data":{{{data}}},"type":"Opaque""#
    )
}

/// Four values of 256 bytes.
fn data(seed: usize) -> String {
    let value = |key: usize| {
        // Any bytes do; the low byte of a running number is one.
        let bytes: Vec<u8> = (0..256_usize).map(|at| ((seed * 31 + key * 7 + at * 13) & 0xff) as u8).collect();
        STANDARD.encode(bytes)
    };
    let keys = ["alpha", "bravo", "charlie", "delta"];
    let entries: Vec<_> = keys.iter().enumerate().map(|(key, name)| format!(r#""{name}":"{}""#, value(key))).collect();
    entries.join(",")
}

/// A request as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let fields = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len())
    };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kluis-bench\r\nAccept: application/json\r\n{fields}\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_as_large_as_the_design_says() {
        let length = super::stored(1).len();
        assert!((1750..1900).contains(&length), "{length}");
    }
}
