//! What a person needs to know when the server is ready.

use std::io::{self, Write};

use anyhow::{Context, Result};

use crate::data_dir::DataDir;

/// Prints where the API is, how to use it, and what protects the values.
pub(super) fn print(url: &str, data: &DataDir, key: &str) -> Result<()> {
    let text = format!(
        "\
Kluis {version} serves the Kubernetes API on {url}
  export KUBECONFIG={kubeconfig}
Everything is sealed with key {key} of {keys}.
A key beside the store protects against a stolen backup of the store, not against a stolen disk.
",
        version = env!("CARGO_PKG_VERSION"),
        kubeconfig = quoted(&data.admin_kubeconfig().to_string_lossy()),
        keys = data.keys().display(),
    );
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn paths_can_be_pasted() {
        assert_eq!(quoted("/var/lib/kluis/admin.kubeconfig"), "/var/lib/kluis/admin.kubeconfig");
        assert_eq!(quoted("/my data/it's"), r"'/my data/it'\''s'");
    }
}
