//! The command line. All configuration enters here: flags, the file of `--config`, and the few variables that
//! say where a user's data lives.

mod config;
mod controllers;
mod values;

use std::env;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

use crate::data_dir::DataDir;
use crate::{completion, recover, run, snapshot};

pub(crate) use controllers::{Choice, chosen};
pub(crate) use values::Cidr;

const EXAMPLES: &str = "\
Examples:
  kluis up                                   start everything on this machine
  export KUBECONFIG=/var/lib/kluis/admin.kubeconfig
  kubectl create secret generic db --from-literal=password=s3cret

  kluis store snapshot /backup/kluis.snapshot   a copy of the store, as sealed as the store
  kluis recover                              a way in when no other is left, for an hour";

const SERVER_EXAMPLES: &str = "\
Examples:
  kluis up                                            on 127.0.0.1:6443, data in the default place
  kluis up --data-dir ./data --secure-port 7443
  kluis up --bind-address 0.0.0.0 --tls-san secrets.example.com
  kluis server --controllers='*,-garbage-collector-controller'
  kluis up --config /etc/kluis.yaml                   the file holds flags: `secure-port: 7443`";

/// Kubernetes Secrets, encrypted from the first write.
#[derive(Parser)]
#[command(name = "kluis", version, max_term_width = 120, args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine
    ///
    /// Makes what is missing (certificates, keys, the store) at the first start, and prints which kubeconfig to
    /// export.
    #[command(after_help = SERVER_EXAMPLES)]
    Up(ServerFlags),
    /// Run the API server and the controllers
    #[command(after_help = SERVER_EXAMPLES)]
    Server(ServerFlags),
    /// Print a kubeconfig that may do everything, for an hour
    ///
    /// For whoever can read the data directory, when no other way in is left. It is signed with the authority's
    /// key on the disk, in group system:masters, and works while the server runs.
    #[command(
        after_help = "Examples:\n  kluis recover > /run/rescue.kubeconfig\n  kubectl --kubeconfig /run/rescue.kubeconfig get namespaces"
    )]
    Recover(RecoverFlags),
    /// Copy the store, and put a copy back
    #[command(subcommand)]
    Store(StoreCommand),
    /// Print completions for a shell
    #[command(after_help = "Examples:\n  kluis completion bash > /etc/bash_completion.d/kluis")]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Examples:\n  kluis man | man -l -\n  kluis man --directory /usr/local/share/man/man1")]
    Man {
        /// Write the pages of all commands into this directory instead
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Write a copy of the store into FILE, also while the server runs
    ///
    /// The copy stays sealed: it is of use only together with the keys.
    #[command(after_help = "Examples:\n  kluis store snapshot /backup/kluis.snapshot")]
    Snapshot(CopyFlags),
    /// Put the copy in FILE in the place of the store, while the server is stopped
    #[command(after_help = "Examples:\n  kluis store restore /backup/kluis.snapshot")]
    Restore(CopyFlags),
}

#[derive(Args)]
pub(crate) struct DataFlags {
    /// Where everything is kept [default: /var/lib/kluis for root, else $XDG_DATA_HOME/kluis]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataFlags {
    /// The folder given, else `/var/lib/kluis` for root, else `$XDG_DATA_HOME/kluis` or `~/.local/share/kluis`.
    pub(crate) fn folder(&self) -> Result<DataDir> {
        if let Some(path) = &self.data_dir {
            return DataDir::new(path);
        }
        if rustix::process::geteuid().is_root() {
            return DataDir::new(Path::new("/var/lib/kluis"));
        }
        let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
        DataDir::new(&data.or(home).context("there is no HOME to keep data in: give --data-dir")?.join("kluis"))
    }
}

#[derive(Args)]
pub(crate) struct CopyFlags {
    /// The copy
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataFlags,
}

#[derive(Args)]
pub(crate) struct RecoverFlags {
    #[command(flatten)]
    pub(crate) data: DataFlags,
    /// Where the server is [default: where it said it was when it started last]
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
}

/// The flags of a server.
#[derive(Args)]
pub(crate) struct ServerFlags {
    #[command(flatten)]
    pub(crate) data: DataFlags,
    /// A YAML file that holds flags by their names; flags given here win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print nothing, and log errors only
    #[arg(long)]
    pub(crate) quiet: bool,
    /// How much to log on stderr
    #[arg(long, value_name = "LEVEL", default_value = "info", default_value_if("quiet", "true", "error"))]
    log_level: LogLevel,
    /// The controllers to run: `*` for all, `NAME` for this one, `-NAME` for all but this one; there are
    /// namespace-controller, garbage-collector-controller and serviceaccount-controller
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "*", allow_hyphen_values = true)]
    pub(crate) controllers: Vec<Choice>,
    #[command(flatten)]
    pub(crate) address: AddressFlags,
    #[command(flatten)]
    pub(crate) store: StoreFlags,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

#[derive(Args)]
#[command(next_help_heading = "Address")]
pub(crate) struct AddressFlags {
    /// The address to listen on
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST.into())]
    pub(crate) bind_address: IpAddr,
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 6443)]
    pub(crate) secure_port: u16,
    /// The address under which others reach this server
    #[arg(long, value_name = "IP")]
    pub(crate) advertise_address: Option<IpAddr>,
    /// More names and addresses for the serving certificate
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) tls_san: Vec<String>,
    /// How long the serving certificate and the administrator's live; they are renewed after two thirds of it
    #[arg(long, value_name = "DURATION", default_value = "8760h", value_parser = values::duration)]
    pub(crate) certificate_duration: Duration,
    /// Where Services get their addresses from
    #[arg(long, value_name = "CIDR", default_value = "10.96.0.0/12")]
    pub(crate) service_cluster_ip_range: Cidr,
}

#[derive(Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreFlags {
    /// How long past revisions are kept for watches and lists
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = values::duration)]
    pub(crate) watch_history_age: Duration,
    /// How many past revisions are kept at most
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    pub(crate) watch_history_count: u64,
    /// How long Events are kept
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = values::duration)]
    pub(crate) event_ttl: Duration,
}

#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Reads at the same time; more are answered 429
    #[arg(long, value_name = "COUNT", default_value_t = 400)]
    pub(crate) max_requests_inflight: usize,
    /// Writes at the same time; more are answered 429
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) max_mutating_requests_inflight: usize,
    /// Connections at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub(crate) max_connections: usize,
    /// Watches of one identity at the same time; more are answered 429
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub(crate) max_watches_per_identity: usize,
    /// Size of the headers of a request
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = values::size)]
    pub(crate) max_header_size: usize,
    /// Time for the headers of a request to arrive
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::duration)]
    pub(crate) header_timeout: Duration,
    /// Size of the body of a request; a larger one is answered 413
    #[arg(long, value_name = "SIZE", default_value = "3MiB", value_parser = values::size)]
    pub(crate) max_body_size: usize,
    /// Time that the body of a request may stand still
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = values::duration)]
    pub(crate) body_timeout: Duration,
    /// Time for open requests to end when the server stops
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub(crate) shutdown_timeout: Duration,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl ServerFlags {
    /// From which level up to log.
    pub(crate) fn log_level(&self) -> LevelFilter {
        match self.log_level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }
    }
}

/// Reads the command line; a wrong one ends the process with a usage message, and so do `--help` and `--version`.
pub(crate) fn parse() -> Result<Cli> {
    let arguments: Vec<OsString> = env::args_os().collect();
    let matches = Cli::command().get_matches_from(&arguments);
    let extra = config::arguments(&Cli::command(), &matches)?;
    let matches = Cli::command().get_matches_from(arguments.into_iter().chain(extra));
    Cli::from_arg_matches(&matches).map_err(|error| error.exit())
}

impl Cli {
    /// Does what the command says.
    pub(crate) fn run(self) -> Result<()> {
        match self.command {
            Command::Up(flags) | Command::Server(flags) => run::server(&flags),
            Command::Recover(flags) => recover::print(&flags),
            Command::Store(StoreCommand::Snapshot(flags)) => snapshot::take(&flags),
            Command::Store(StoreCommand::Restore(flags)) => snapshot::restore(&flags),
            Command::Completion { shell } => completion::shell(Self::command(), shell),
            Command::Man { directory } => completion::manual(Self::command(), directory.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cli, CommandFactory};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
