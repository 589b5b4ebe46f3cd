//! ARCHITECTURE.md names every crate under a heading, with what must stay true of it.

use std::fs;
use std::path::Path;

use super::Findings;
use super::layering::Metadata;

const FILE: &str = "ARCHITECTURE.md";

pub(super) fn check(root: &Path, metadata: &Metadata) -> Findings {
    let Ok(text) = fs::read_to_string(root.join(FILE)) else { return vec![format!("{FILE} is missing")] };
    metadata.crates().filter_map(|name| missing(&text, name)).collect()
}

/// What the text lacks about this crate.
fn missing(text: &str, name: &str) -> Option<String> {
    let heading = format!("`crates/{name}`");
    let mut below = text.lines().skip_while(|line| !(line.starts_with('#') && line.contains(&heading)));
    if below.next().is_none() {
        return Some(format!("{FILE}: no heading for {heading}"));
    }
    let mut section = below.take_while(|line| !line.starts_with('#'));
    let found = section.any(|line| line.starts_with("Invariant:"));
    (!found).then(|| format!("{FILE}: no line that starts with `Invariant:` under {heading}"))
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn a_crate_needs_a_heading_and_an_invariant_below_it() {
        let text = "## `crates/a`\nInvariant: x\n## `crates/b`\nnothing\n## `crates/c`\nInvariant: y\n";
        assert_eq!(missing(text, "a"), None);
        assert!(missing(text, "b").is_some_and(|finding| finding.contains("Invariant:")));
        assert!(missing(text, "d").is_some_and(|finding| finding.contains("no heading")));
    }
}
