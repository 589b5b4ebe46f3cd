//! Paths of requests: what they ask for, of which kind, by which verb.
#![no_main]

use http::Method;

// The module itself, without the server around it: it knows nothing but the table of kinds.
#[allow(dead_code, reason = "the pipeline uses all of it")]
#[path = "../../crates/apiserver/src/request.rs"]
mod request;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some(path) = request::ResourcePath::parse(text) else { return };
    for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for watch in [false, true] {
            let (Some(verb), Some((row, sub))) = (path.verb(&method, watch), path.route()) else { continue };
            if request::allows(row, sub, &path, verb) {
                assert_eq!(row.plural, path.resource);
                assert!(!path.name.contains('/') && !path.namespace.contains('/'), "a key of another object: {text}");
                assert!(row.namespaced || path.namespace.is_empty() || row.plural == "namespaces", "{text}");
            }
        }
    }
});
