//! Label and field selectors.
#![no_main]

use api::selector::{FieldSelector, LabelSelector};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(selector) = LabelSelector::parse(text) {
        let labels = [("a", "b"), ("environment", "production"), ("tier", "")];
        selector.matches(|key| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value));
        if selector.is_empty() {
            assert!(selector.matches(|_| None), "an empty selector selects everything");
        }
    }
    if let Ok(selector) = FieldSelector::parse(text) {
        selector.matches(|field| if field == "metadata.name" { "a" } else { "" });
    }
});
