//! Server-side apply: two configurations, a zero byte between them; applying twice is applying once.
#![no_main]

use api::apply::{self, Manager};
use api::decode::{self, FieldValidation};
use api::value::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, second)) = subjects::halves(data) else { return };
    let Some((choice, first)) = first.split_first() else { return };
    let expect = subjects::expect(subjects::resource(*choice));
    let manager = |name| Manager { name, api_version: expect.version, subresource: "", now: "2026-11-21T12:00:00Z", reset: &[] };
    let mut live: Option<Value> = None;
    for (name, text) in [("one", first), ("two", second), ("one", first)] {
        let Ok(config) = decode::untyped_yaml(text) else { return };
        let Ok(merged) = apply::apply(expect.definition, &manager(name), live.as_ref(), &config.value, true) else { continue };
        let Ok(decoded) = decode::tree(&expect, merged, FieldValidation::Ignore) else { continue };
        let again = apply::apply(expect.definition, &manager(name), Some(&decoded.value), &config.value, false);
        let again = again.expect("whoever owns a field applies it again without a conflict");
        let again = decode::tree(&expect, again, FieldValidation::Ignore).expect("it was an object before");
        assert!(again.value == decoded.value, "applying twice is applying once");
        live = Some(decoded.value);
    }
});
