//! Shell completions and the manual, both made from the definition of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

/// Prints the completions for a shell.
pub(crate) fn shell(mut command: Command, shell: Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "kluis", &mut text);
    io::stdout().write_all(&text).context("cannot print")
}

/// Prints the page of the program, or writes the pages of all commands into a directory.
pub(crate) fn manual(command: Command, directory: Option<&Path>) -> Result<()> {
    let Some(directory) = directory else {
        let mut text = Vec::new();
        clap_mangen::Man::new(command).render(&mut text).context("cannot make the page")?;
        return io::stdout().write_all(&text).context("cannot print");
    };
    let write = || {
        fs::create_dir_all(directory)?;
        clap_mangen::generate_to(command, directory)
    };
    write().with_context(|| format!("cannot write into {}", directory.display()))
}
