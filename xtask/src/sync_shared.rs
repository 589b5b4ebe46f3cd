//! Copies what the tests replay: acceptance scripts, golden exchanges and vectors, so that a clone is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell;

/// What is copied, to where, and which files: the endings of their names.
const COPIES: [(&str, &str, &[&str]); 3] = [
    ("acceptance", "e2e/shared/acceptance", &["lib.sh", "secrets.sh"]),
    ("golden", "e2e/shared/golden", &[".json", ".py", ".md"]),
    ("vectors", "e2e/shared/vectors", &["protobuf.json", "storage.json", "README.md"]),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The folder that holds `acceptance`, `golden` and `vectors`; default: `shared` beside the workspace.
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = shell::root();
    let beside = root.parent().unwrap_or(&root).join("shared");
    let from = options.from.as_deref().unwrap_or(&beside);
    for (source, target, endings) in COPIES {
        let copied = copy(&from.join(source), &root.join(target), endings)?;
        println!("{target}: {copied} files");
    }
    Ok(())
}

/// Makes `target` hold exactly the files of `source` whose names end so.
fn copy(source: &Path, target: &Path, endings: &[&str]) -> anyhow::Result<usize> {
    if target.exists() {
        fs::remove_dir_all(target).with_context(|| format!("empty {}", target.display()))?;
    }
    fs::create_dir_all(target).with_context(|| format!("make {}", target.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(source).with_context(|| format!("read {}", source.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let copy = target.join(name);
            fs::write(&copy, bytes).with_context(|| format!("write {}", copy.display()))?;
            if name.ends_with(".sh") || name.ends_with(".py") {
                make_executable(&copy)?;
            }
            copied += 1;
        }
    }
    Ok(copied)
}

fn make_executable(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).with_context(|| format!("chmod {}", path.display()))
}
