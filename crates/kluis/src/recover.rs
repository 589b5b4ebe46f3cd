//! `kluis recover`: the way in that is left to whoever holds the machine.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::cli::RecoverFlags;
use crate::kubeconfig::{self, Access};
use crate::pki::{Authority, Purpose};

/// How long the certificate lives.
const LIFETIME: Duration = Duration::from_secs(3600);
const USER: &str = "kluis-recover";

/// Prints a kubeconfig of group `system:masters`.
pub(crate) fn print(flags: &RecoverFlags) -> Result<()> {
    let data = flags.data.folder()?.existing()?;
    let authority = Authority::load(&data.pki())?;
    let purpose = Purpose::Client { user: USER, group: "system:masters" };
    let issued = authority.issue(&purpose, LIFETIME, SystemTime::now())?;
    let server = flags.server.clone().or_else(|| data.server_url());
    let text = kubeconfig::render(&Access {
        server: server.as_deref().unwrap_or("https://127.0.0.1:6443"),
        authority: authority.pem(),
        certificate: &issued.certificate,
        key: &issued.key,
        user: USER,
    });
    io::stdout().write_all(text.as_bytes()).context("cannot print")
}
