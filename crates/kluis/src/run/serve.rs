//! The running server: store, API, controllers, renewal of certificates.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::{Context, Result};
use encryption::Keyring;
use storage::{Committed, Config, History, Key, Observer, Record, RecordError, Revision, Store};
use tracing::info;

use super::report;
use crate::cli::{ServerFlags, chosen};
use crate::data_dir::DataDir;
use crate::pki::Pki;
use crate::{signals, tls};

/// What was made ready before.
pub(super) struct Parts {
    pub(super) data: DataDir,
    pub(super) listener: TcpListener,
    pub(super) pki: Pki,
    pub(super) keyring: Keyring,
    /// The id of the key that seals.
    pub(super) key: String,
    pub(super) url: String,
}

struct Nobody;

impl Observer for Nobody {
    fn load(&self, _record: Record) {}
    fn load_failed(&self, _key: &Key, _revision: Revision, _error: &RecordError) {}
    fn committed(&self, _batch: Vec<Committed>) {}
}

/// Runs until a signal ends it.
pub(super) async fn run(flags: &ServerFlags, parts: Parts) -> Result<()> {
    let Parts { data, listener: _listener, pki, keyring, key, url } = parts;
    let shutdown = signals::shutdown()?;
    let history = History { age: flags.store.watch_history_age, count: flags.store.watch_history_count };
    let config = Config { path: data.database(), history };
    let _store = Store::open(config, Arc::new(keyring), Arc::new(Nobody)).context("cannot open the store")?;
    let _tls = tls::config(pki.serving(), pki.authority())?;
    let _controllers = chosen(&flags.controllers);
    let renewal = tokio::spawn(pki.renew(shutdown.clone()));
    if !flags.quiet {
        report::print(&url, &data, &key)?;
    }
    info!(url, "ready");
    renewal.await.context("the renewal of certificates failed")
}
