//! The recorded creates of `tests/facts/pods.json`: pods, answers, errors and warnings of 1.36.2.

use super::check::{create_errors, created, message, pod};
use crate::encode;
use crate::resources::Rules as _;
use crate::resources::pod::Pod;
use crate::value::Value;

fn parse(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn part(object: &Value, field: &str) -> serde_json::Value {
    object.get(field).map_or(serde_json::Value::Null, |value| parse(&encode::json(value)))
}

#[test]
fn creates_are_answered_as_recorded() {
    let path = format!("{}/tests/facts/pods.json", env!("CARGO_MANIFEST_DIR"));
    let cases = parse(&std::fs::read(path).expect("the recorded pods"));
    let mut wrong = Vec::new();
    for case in cases.as_array().expect("a list") {
        let name = case["name"].as_str().expect("a name");
        let sent = pod(&case["sent"]);
        let errors = create_errors(&sent);
        if let Some(wanted) = case["message"].as_str() {
            let got = message(sent.name(), &errors);
            if got != wanted {
                wrong.push(format!("{name}:\n got    {got}\n wanted {wanted}"));
            }
            continue;
        }
        let object = created(sent);
        for field in ["spec", "status"] {
            let got = part(&object, field);
            if got != case[field] {
                wrong.push(format!("{name}: {field}\n got    {got}\n wanted {}", case[field]));
            }
        }
        let warnings: Vec<String> = Pod.warnings(&object, None).iter().map(|text| quoted(text)).collect();
        let wanted: Vec<&str> =
            case["warnings"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
        if warnings != wanted || !errors.is_empty() {
            wrong.push(format!("{name}: errors {errors:?}, warnings {warnings:?}, wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A warning as the header has it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
