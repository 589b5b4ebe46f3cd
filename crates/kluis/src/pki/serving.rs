//! The certificate that the server shows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::leaf::Leaf;
use super::{Authority, Names, Purpose};
use crate::file::{self, Readers};
use crate::tls;

/// The serving certificate of this folder and when it is due for renewal. A new one is issued where there is
/// none, where it is due, or where it is not for these names or not of this authority.
pub(super) fn ensure(
    folder: &Path,
    authority: &Authority,
    names: &Names,
    lifetime: Duration,
    now: SystemTime,
) -> Result<(Arc<CertifiedKey>, SystemTime)> {
    let path = folder.join("serving.pem");
    if let Some(pem) = file::read_private(&path)? {
        let (key, leaf) = load(&path, &pem)?;
        if leaf.due() > now && authority.signed(&leaf) && leaf.names == *names.as_set() {
            return Ok((key, leaf.due()));
        }
    }
    let issued = authority.issue(&Purpose::Server(names), lifetime, now)?;
    let pem = Zeroizing::new(format!("{}{}", issued.certificate, issued.key.as_str()));
    file::write(&path, pem.as_bytes(), Readers::Owner)?;
    let (key, leaf) = load(&path, &pem)?;
    Ok((key, leaf.due()))
}

fn load(path: &Path, pem: &str) -> Result<(Arc<CertifiedKey>, Leaf)> {
    let read = || -> Result<_> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).context("it holds no certificate")?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).context("it holds no private key")?;
        let leaf = Leaf::parse(&certificate).context("its certificate cannot be read")?;
        Ok((Arc::new(CertifiedKey::from_der(vec![certificate], key, &tls::provider())?), leaf))
    };
    read().with_context(|| format!("{path} is damaged: remove {path} to have a new one made", path = path.display()))
}
