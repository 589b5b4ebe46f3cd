//! Budgets and structural rules of the code (style guide, sections 2 and 5); exceptions are data with a reason each.

use anyhow::bail;

use crate::shell;

mod architecture;
mod exceptions;
mod functions;
mod layering;
mod measure;
mod rules;
mod sources;
mod storage_format;

use exceptions::Exceptions;
use sources::Source;

/// What is wrong, each as one line that names the place.
type Findings = Vec<String>;

pub(crate) fn run() -> anyhow::Result<()> {
    let root = shell::root();
    let exceptions = Exceptions::read(&root)?;
    let sources = Source::all(&root)?;
    let metadata = layering::Metadata::read()?;

    let mut findings = Findings::new();
    findings.extend(rules::check(&sources, &exceptions));
    findings.extend(rules::one_test_program(&sources));
    findings.extend(functions::check(&sources, &exceptions));
    findings.extend(layering::check(&metadata, &exceptions));
    findings.extend(architecture::check(&root, &metadata));
    findings.extend(storage_format::check(&root, &exceptions));
    findings.extend(exceptions.unused());

    print!("{}", measure::summary(&sources));
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings; mend them, or list an exception with its reason in {}", findings.len(), exceptions::FILE);
    }
    Ok(())
}
