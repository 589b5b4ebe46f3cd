//! What the process asks of the operating system for itself, and how it ends.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask};
use tracing::warn;

/// No core dump can hold a value, nothing that is made can be read by others, and there may be as many
/// connections as the machine allows.
pub(crate) fn harden() -> Result<()> {
    umask(Mode::RWXG | Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).context("cannot turn core dumps off")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("cannot turn core dumps off")?;
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })
        .context("cannot raise the limit of open files")
}

/// Files that a server has open beside its connections: the store, the log, the machinery of the runtime.
const OTHER_FILES: u64 = 100;

/// Says so where the machine allows fewer open files than there may be connections.
pub(crate) fn warn_of_few_files(connections: usize) {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if allowed < connections as u64 + OTHER_FILES {
        warn!(allowed, connections, "the limit of open files is below --max-connections: raise it (ulimit -n)");
    }
}

/// Says in one line what went wrong, with its causes.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    // A person who closed stderr notices by the exit code.
    drop(writeln!(io::stderr(), "kluis: {}", line(error)));
    ExitCode::FAILURE
}

/// The error and its causes, without those that only say again what the one before said.
fn line(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if parts.last().is_none_or(|last| !cause.ends_with(last.as_str())) {
            parts.push(cause);
        }
    }
    parts.join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::line;

    #[test]
    fn causes_are_said_once() {
        let error = anyhow!("Error code 13: disk is full").context("disk is full").context("cannot open\nthe store");
        assert_eq!(line(&error), "cannot open the store: disk is full");
    }
}
