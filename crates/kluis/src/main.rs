//! Kluis: Kubernetes Secrets in one program.

mod cli;
mod completion;
mod data_dir;
mod file;
mod kubeconfig;
mod log;
mod pki;
mod process;
mod recover;
mod run;
mod signals;
mod snapshot;
mod tls;
mod wipe;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: wipe::Wiping = wipe::Wiping;

fn main() -> ExitCode {
    process::harden()
        .and_then(|()| cli::parse()?.run())
        .map_or_else(|error| process::fail(&error), |()| ExitCode::SUCCESS)
}
