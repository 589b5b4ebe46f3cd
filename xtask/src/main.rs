//! Tasks of the people who work on Kluis: `cargo xtask ci` is what CI runs.
#![expect(clippy::print_stdout, reason = "a task reports to the terminal")]
#![expect(clippy::print_stderr, reason = "a task reports to the terminal")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod ci;
mod generate;
mod shell;
mod soak;
mod sync_shared;
mod tidy;

/// Checks, measurements and generated files of the Kluis workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a change lands: formatting, lints, licences, budgets, tests, docs, fuzz smoke.
    Ci(ci::Options),
    /// The budgets and structural rules that no compiler checks.
    Tidy,
    /// Writes the schema table of Kubernetes anew; needs Go.
    Generate,
    /// Every figure of the design beside its floor on the same machine, in one run.
    Bench(bench::Options),
    /// Writers, watchers and kills for a long time, compared with a model.
    Soak(soak::Options),
    /// The floor's server; `bench` starts it.
    #[command(hide = true)]
    Floor(bench::FloorOptions),
    /// Copies the acceptance scripts, golden exchanges and test vectors that the tests use into the repository.
    SyncShared(sync_shared::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Ci(options) => ci::run(&options),
        Task::Tidy => tidy::run(),
        Task::Generate => generate::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Floor(options) => bench::run_floor(&options),
        Task::SyncShared(options) => sync_shared::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
