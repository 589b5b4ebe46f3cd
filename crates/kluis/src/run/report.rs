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
        kubeconfig = data.admin_kubeconfig().display(),
        keys = data.keys().display(),
    );
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}
