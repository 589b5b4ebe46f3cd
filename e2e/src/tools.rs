//! The programs that the tests drive, and what to say where one is missing.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Programs that tests need, with the command that installs each.
const INSTALL: [(&str, &str); 5] = [
    ("kubectl", "apt-get install kubernetes-client (or https://kubernetes.io/docs/tasks/tools/)"),
    ("jq", "apt-get install jq"),
    ("openssl", "apt-get install openssl"),
    ("python3", "apt-get install python3 python3-venv"),
    ("bash", "apt-get install bash"),
];

/// The folder of this crate.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with the commands that install what is missing of these programs.
pub fn need(programs: &[&str]) -> anyhow::Result<()> {
    let missing = programs.iter().filter(|program| find(program).is_none());
    let lines: Vec<_> = missing.map(|program| format!("{program} is missing: {}", how(program))).collect();
    if !lines.is_empty() {
        bail!("{}", lines.join("\n"));
    }
    Ok(())
}

/// The first program of this name on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The Kluis that was built last: beside the test program, whatever the build folder.
pub fn kluis() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("find this program")?;
    let built = test.ancestors().nth(2).map(|profile| profile.join("kluis"));
    match built.filter(|program| program.is_file()) {
        Some(program) => Ok(program),
        None => bail!("kluis is not built: cargo build --package kluis"),
    }
}

/// Every kubectl on this machine: the one on the PATH, and `kubectl.1.NN` beside the program that it links to.
pub fn kubectls() -> anyhow::Result<Vec<PathBuf>> {
    let found = find("kubectl").context("kubectl is missing")?;
    let real = found.canonicalize().with_context(|| format!("follow {}", found.display()))?;
    let folder = real.parent().context("the folder of kubectl")?;
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_prefix("kubectl.1.").is_some_and(|minor| minor.parse::<u8>().is_ok()) {
            versions.push(path);
        }
    }
    versions.sort();
    if versions.is_empty() {
        versions.push(real);
    }
    Ok(versions)
}

fn how(program: &str) -> &'static str {
    INSTALL.iter().find(|(name, _)| *name == program).map_or("install it", |(_, how)| how)
}
