//! Rules of single files: what each starts with, how long it is, and words that only some files may hold.

use std::collections::BTreeMap;

use super::Findings;
use super::exceptions::Exceptions;
use super::sources::{Source, attributes, is_test};

const LINES_MOST: usize = 800;

pub(super) fn check(sources: &[Source], exceptions: &Exceptions) -> Findings {
    sources.iter().filter(|source| !source.generated).flat_map(|source| check_file(source, exceptions)).collect()
}

fn check_file(source: &Source, exceptions: &Exceptions) -> Findings {
    let mut findings = Findings::new();
    let path = &source.path;
    if !source.text.starts_with("//! ") {
        findings.push(format!("{path}: the first line is no `//!` that says what the file is for"));
    }
    if path.ends_with("/mod.rs") {
        findings.push(format!("{path}: use foo.rs beside foo/, never mod.rs"));
    }
    let lines = source.production_lines();
    if lines > LINES_MOST && !exceptions.allows_count("file-length", path, lines) {
        findings.push(format!("{path}: {lines} production lines, at most {LINES_MOST}"));
    }
    findings.extend(unwanted_words(source));
    if !source.test {
        findings.extend(guarded_words(source, exceptions));
    }
    findings
}

/// Words that no file may hold. They are put together here so that this file does not hold them itself.
fn unwanted_words(source: &Source) -> Findings {
    let ignore = concat!("#[", "ignore");
    let should_panic = concat!("#[should", "_panic");
    let todo = concat!("TO", "DO");
    let mut findings = Findings::new();
    for (number, line) in source.text.lines().enumerate() {
        let place = format!("{}:{}", source.path, number + 1);
        if line.contains(ignore) || line.contains(should_panic) {
            findings.push(format!("{place}: a test that is ignored or must panic"));
        }
        if line.contains(todo) && !line.contains(concat!("TO", "DO(#")) {
            findings.push(format!("{place}: to do, but no issue number"));
        }
    }
    findings
}

/// Words that only the files listed with a reason may hold outside tests.
fn guarded_words(source: &Source, exceptions: &Exceptions) -> Findings {
    let code = production_code(source);
    let guards = [
        ("status-code", concat!("Status", "Code"), "HTTP codes are chosen in HTTP files alone"),
        ("expose", concat!(".ex", "pose()"), "secret bytes are exposed in listed files alone"),
        ("environment", concat!("env::", "var"), "configuration enters in one place"),
    ];
    let mut findings = Findings::new();
    for (rule, word, why) in guards {
        let line = code.iter().find(|(_, line)| line.contains(word));
        if let Some((number, _)) = line
            && !exceptions.allows(rule, &source.path)
        {
            findings.push(format!("{}:{number}: {word}: {why} (rule {rule})", source.path));
        }
    }
    findings
}

/// The numbered lines of the file that are neither comments nor part of a test module.
fn production_code(source: &Source) -> Vec<(usize, &str)> {
    use syn::spanned::Spanned as _;
    let tests: Vec<_> =
        source.syntax.items.iter().filter(|item| is_test(attributes(item))).map(|item| item.span()).collect();
    let in_tests = |number| tests.iter().any(|span| (span.start().line..=span.end().line).contains(&number));
    let numbered = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(number, line)| !in_tests(*number) && !line.trim_start().starts_with("//")).collect()
}

/// Every integration test is a program to link: a crate has at most one.
pub(super) fn one_test_program(sources: &[Source]) -> Findings {
    let mut programs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        let Some((_, below)) = source.path.split_once("/tests/") else { continue };
        let parts: Vec<_> = below.split('/').collect();
        if !source.path.contains("/src/") && (parts.len() == 1 || (parts.len() == 2 && below.ends_with("/main.rs"))) {
            programs.entry(source.package()).or_default().push(&source.path);
        }
    }
    let several = programs.into_iter().filter(|(_, files)| files.len() > 1);
    several.map(|(name, files)| format!("{name}: more than one test program: {}", files.join(", "))).collect()
}
