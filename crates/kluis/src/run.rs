//! `kluis up` and `kluis server`: from the flags to a running server, and its end.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};
use tracing::info;

use crate::cli::{AddressFlags, ServerFlags, chosen};
use crate::data_dir::DataDir;
use crate::pki::{Names, Pki};
use crate::{log, signals, tls};

/// Runs until a signal ends it.
pub(crate) fn server(flags: ServerFlags) -> Result<()> {
    log::start(flags.log_level());
    let data = flags.data.folder()?;
    data.create()?;
    let mut lock = data.lock()?;
    let listener = listen(&flags.address)?;
    let local = listener.local_addr().context("cannot tell the address listened on")?;
    let url = url(&flags.address, local.port());
    let pki = Pki::open(&data, names(&flags.address), url.clone(), flags.address.certificate_duration)?;
    lock.announce(&url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        let _tls = tls::config(pki.serving(), pki.authority())?;
        let renewal = tokio::spawn(pki.renew(shutdown.clone()));
        if !flags.quiet {
            report(&url, &data)?;
        }
        let _controllers = chosen(&flags.controllers);
        info!(%local, "ready");
        shutdown.cancelled().await;
        renewal.await.context("the renewal of certificates failed")
    })
}

fn listen(flags: &AddressFlags) -> Result<TcpListener> {
    let address = SocketAddr::new(flags.bind_address, flags.secure_port);
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true).context("cannot listen")?;
    Ok(listener)
}

/// The names of the serving certificate.
fn names(flags: &AddressFlags) -> Names {
    let mut addresses = vec![flags.bind_address, flags.service_cluster_ip_range.first()];
    addresses.extend(flags.advertise_address);
    Names::new(&addresses, &flags.tls_san)
}

/// Where clients on this machine find the server.
fn url(flags: &AddressFlags, port: u16) -> String {
    let host = flags.advertise_address.unwrap_or(match flags.bind_address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    });
    format!("https://{}", SocketAddr::new(host, port))
}

fn report(url: &str, data: &DataDir) -> Result<()> {
    let text = format!(
        "\
Kluis {version} serves the Kubernetes API on {url}
  export KUBECONFIG={kubeconfig}
A key beside the store protects against a stolen backup, not a stolen disk.
",
        version = env!("CARGO_PKG_VERSION"),
        kubeconfig = data.admin_kubeconfig().display(),
    );
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}
