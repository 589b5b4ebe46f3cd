//! The numbers that the budgets are about, as a summary for the reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use syn::visit::Visit as _;

use super::functions::Found;
use super::sources::Source;

/// The value below which this part of a hundred of the sorted values lies.
pub(super) fn percentile(sorted: &[usize], part: usize) -> usize {
    let index = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(0)
}

/// Lines and function lengths by crate.
pub(super) fn summary(sources: &[Source]) -> String {
    let mut crates: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.generated && !source.test) {
        let (files, functions) = crates.entry(source.package()).or_default();
        files.push(source.production_lines());
        let mut found = Found::default();
        found.visit_file(&source.syntax);
        functions.extend(found.functions.iter().map(|function| function.lines));
    }
    let mut text = String::from("crate         files  lines  longest  functions  p50  p90  p99  longest\n");
    let mut all = (Vec::new(), Vec::new());
    for (name, (files, functions)) in crates {
        text.push_str(&row(name, &files, &functions));
        all.0.extend(files);
        all.1.extend(functions);
    }
    text.push_str(&row("all", &all.0, &all.1));
    text
}

fn row(name: &str, files: &[usize], functions: &[usize]) -> String {
    let mut sorted = functions.to_vec();
    sorted.sort_unstable();
    let mut line = String::new();
    // Writing to a String cannot fail.
    _ = writeln!(
        line,
        "{name:12} {:6} {:6} {:8} {:10} {:4} {:4} {:4} {:8}",
        files.len(),
        files.iter().sum::<usize>(),
        files.iter().max().unwrap_or(&0),
        functions.len(),
        percentile(&sorted, 50),
        percentile(&sorted, 90),
        percentile(&sorted, 99),
        sorted.last().unwrap_or(&0),
    );
    line
}
