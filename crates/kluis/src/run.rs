//! `kluis up` and `kluis server`: from the flags to a running server, and its end.

mod keys;
mod report;
mod serve;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};

use crate::cli::{AddressFlags, ServerFlags};
use crate::pki::{Naming, Pki};
use crate::{log, process};

/// Runs until a signal ends it.
pub(crate) fn server(flags: &ServerFlags) -> Result<()> {
    log::start(flags.log_level());
    let data = flags.data.folder()?;
    data.create()?;
    let mut lock = data.lock()?;
    process::warn_of_few_files(flags.limits.max_connections);
    let listener = listen(&flags.address)?;
    let local = listener.local_addr().context("cannot tell the address listened on")?;
    let url = url(&flags.address, local.port());
    let pki = Pki::open(&data, naming(&flags.address), url.clone(), flags.address.certificate_duration)?;
    let (keyring, key) = keys::open(&data)?;
    lock.announce(&url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(serve::run(flags, serve::Parts { data, listener, pki, keyring, key, url }))
}

fn listen(flags: &AddressFlags) -> Result<TcpListener> {
    let address = SocketAddr::new(flags.bind_address, flags.secure_port);
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true).context("cannot listen")?;
    Ok(listener)
}

/// The names of the serving certificate.
fn naming(flags: &AddressFlags) -> Naming {
    let mut addresses = vec![flags.bind_address, flags.service_cluster_ip_range.first()];
    addresses.extend(flags.advertise_address);
    Naming { addresses, others: flags.tls_san.clone() }
}

/// Where clients find the server.
fn url(flags: &AddressFlags, port: u16) -> String {
    let host = flags.advertise_address.unwrap_or(match flags.bind_address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    });
    format!("https://{}", SocketAddr::new(host, port))
}
