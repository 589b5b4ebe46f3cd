//! The schema table of Kubernetes, written anew by the Go program in `xtask/generate`.
//!
//! Go is needed only here: what it writes is committed.

use crate::shell;

const FOLDER: &str = "crates/api/src/generated";

/// Runs the generator, which fetches the modules that its `go.mod` pins.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = shell::root().join(FOLDER);
    let mut generator = shell::command("go", &["run", "."]);
    generator.arg(&folder).current_dir(shell::root().join("xtask/generate"));
    shell::run(&mut generator)?;
    println!("wrote {}", folder.display());
    Ok(())
}
