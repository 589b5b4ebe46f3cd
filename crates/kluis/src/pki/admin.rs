//! The administrator's kubeconfig.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::leaf::Leaf;
use super::{Authority, Purpose};
use crate::file::{self, Readers};
use crate::kubeconfig::{self, Access};

/// The group of the administrator: what it may do is granted, so it can be taken away again.
const ADMIN_GROUP: &str = "kluis:cluster-admins";
/// The user of the administrator's kubeconfig.
const ADMIN_USER: &str = "kluis-admin";

/// Makes sure that the file works for this server. Says when it is due for renewal, and whether it is new.
pub(super) fn ensure(
    path: &Path,
    authority: &Authority,
    url: &str,
    lifetime: Duration,
    now: SystemTime,
) -> Result<(SystemTime, bool)> {
    if let Some(text) = file::read_private(path)? {
        let (leaf, fits) = load(path, &text, authority, url)?;
        if fits && leaf.due() > now {
            return Ok((leaf.due(), false));
        }
    }
    let issued = authority.issue(&Purpose::Client { user: ADMIN_USER, group: ADMIN_GROUP }, lifetime, now)?;
    let access = Access {
        server: url,
        authority: authority.pem(),
        certificate: &issued.certificate,
        key: &issued.key,
        user: ADMIN_USER,
    };
    let text = kubeconfig::render(&access);
    file::write(path, text.as_bytes(), Readers::Owner)?;
    Ok((load(path, &text, authority, url)?.0.due(), true))
}

/// The certificate in the file, and whether the file is for this server and this authority.
fn load(path: &Path, text: &str, authority: &Authority, url: &str) -> Result<(Leaf, bool)> {
    let damaged = || format!("{path} is damaged: remove {path} to have a new one made", path = path.display());
    let found = kubeconfig::parse(text, ADMIN_USER).with_context(damaged)?;
    let certificate = CertificateDer::from_pem_slice(&found.certificate).with_context(damaged)?;
    let leaf = Leaf::parse(&certificate).with_context(damaged)?;
    let fits = authority.signed(&leaf) && found.authority == authority.pem().as_bytes() && found.server == url;
    Ok((leaf, fits))
}
