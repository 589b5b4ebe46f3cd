//! The running server: store, API, controllers, renewal of certificates.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use apiserver::{Options, Prepared, Server, ServiceRange};
use auth::Identity;
use controllers::Client;
use encryption::Keyring;
use storage::{Config, History, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use super::report;
use crate::cli::{ServerFlags, chosen};
use crate::data_dir::DataDir;
use crate::pki::Pki;
use crate::{signals, tls};

const FAILED: &str = "a part of the server failed";

/// What was made ready before.
pub(super) struct Parts {
    pub(super) data: DataDir,
    pub(super) listener: TcpListener,
    pub(super) pki: Pki,
    pub(super) keyring: Keyring,
    /// The id of the key that seals.
    pub(super) key: String,
    /// Where clients find the server.
    pub(super) url: String,
}

/// Runs until a signal ends it.
pub(super) async fn run(flags: &ServerFlags, parts: Parts) -> Result<()> {
    let Parts { data, listener, pki, keyring, key, url } = parts;
    let shutdown = signals::shutdown()?;
    let server = open(flags, &data, keyring, options(flags, &url, shutdown.clone())?)?;
    server.bootstrap().await.context("cannot make the first namespaces")?;
    let tls = Arc::new(tls::config(pki.serving(), pki.authority())?);
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot listen")?;

    let mut tasks = JoinSet::new();
    tasks.spawn(pki.renew(shutdown.clone()));
    for controller in chosen(&flags.controllers) {
        let client = Client::new(server.in_process(Identity::controller(controller.account())), "default");
        tasks.spawn(controller.run(client, shutdown.clone()));
    }
    if !flags.quiet {
        report::print(&url, &data, &key)?;
    }
    info!(url, "ready");
    tokio::select! {
        () = server.serve(listener, tls) => {}
        error = failure(&mut tasks) => return Err(error),
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context(FAILED)?;
    }
    info!("ended");
    Ok(())
}

/// Ready when a task has failed. A server without one of its parts would look well and be ill: better that whoever
/// watches over the process starts it again.
async fn failure(tasks: &mut JoinSet<()>) -> anyhow::Error {
    loop {
        match tasks.join_next().await {
            Some(Ok(())) => {}
            Some(Err(error)) => return anyhow::Error::new(error).context(FAILED),
            None => std::future::pending().await,
        }
    }
}

fn open(flags: &ServerFlags, data: &DataDir, keyring: Keyring, options: Options) -> Result<Server> {
    let history = History { age: flags.store.watch_history_age, count: flags.store.watch_history_count };
    let config = Config { path: data.database(), history };
    let prepared = Prepared::new(options);
    let store = Store::open(config, Arc::new(keyring), prepared.observer()).context("cannot open the store")?;
    Ok(prepared.with_store(store))
}

fn options(flags: &ServerFlags, url: &str, shutdown: watch::Receiver<bool>) -> Result<Options> {
    let (address, limits) = (&flags.address, &flags.limits);
    let service_range = ServiceRange::parse(&address.service_cluster_ip_range.to_string());
    Ok(Options {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        address: url.trim_start_matches("https://").to_owned(),
        max_requests_inflight: limits.max_requests_inflight,
        max_mutating_requests_inflight: limits.max_mutating_requests_inflight,
        max_connections: limits.max_connections,
        max_watches_per_identity: limits.max_watches_per_identity,
        header_size: limits.max_header_size,
        header_timeout: limits.header_timeout,
        body_size: limits.max_body_size,
        body_stall: limits.body_timeout,
        event_ttl: flags.store.event_ttl,
        service_range: service_range.map_err(|reason| anyhow!(reason))?,
        drain: limits.shutdown_timeout,
        shutdown,
    })
}
