//! Logging to stderr.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The crates whose lines follow the level. Libraries never say more than warnings, because what they write
/// at lower levels may hold what they carry.
const OURS: [&str; 6] = ["kluis", "apiserver", "controllers", "storage", "encryption", "auth"];

/// Starts logging from this level up. Called once, before anything logs.
pub(crate) fn start(level: LevelFilter) {
    let targets =
        Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(OURS.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(targets).init();
}
