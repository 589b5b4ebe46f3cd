//! The certificate authority of a server.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::leaf::Leaf;
use super::{AUTHORITY_LIFETIME, CLOCK_SKEW, Names};
use crate::file::{self, Readers};

/// The authority: its certificate and its key.
pub(crate) struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
    key_id: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate is for.
pub(crate) enum Purpose<'a> {
    /// A server of these names.
    Server(&'a Names),
    /// A user in a group.
    Client {
        /// The common name.
        user: &'a str,
        /// The organization.
        group: &'a str,
    },
}

/// A new certificate and its key, as PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: Zeroizing<String>,
}

impl Authority {
    /// Loads the authority of this folder, or makes one where there is none yet.
    pub(super) fn load_or_create(folder: &Path, now: SystemTime) -> Result<Self> {
        let (certificate, key) = (folder.join("ca.crt"), folder.join("ca.key"));
        if !key.exists() {
            ensure!(
                !certificate.exists(),
                "{} is missing: restore it, or remove {} as well to have a new authority made",
                key.display(),
                certificate.display()
            );
            file::write_for_good(&key, generate_key()?.serialize_pem().as_bytes(), Readers::Owner)?;
        }
        if !certificate.exists() {
            file::write(&certificate, self_signed(&load_key(&key)?, now)?.as_bytes(), Readers::Everyone)?;
        }
        let authority = Self::load(folder)?;
        if authority.leaf()?.due() > now {
            return Ok(authority);
        }
        // The same name and key: what the old certificate signed stays good under the new one.
        file::write(&certificate, self_signed(authority.issuer.key(), now)?.as_bytes(), Readers::Everyone)?;
        Self::load(folder)
    }

    /// Loads the authority of this folder.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let (path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
        let key = load_key(&key_path)?;
        let pem = file::read(&path)?.with_context(|| format!("{} is missing", path.display()))?.to_string();
        let damaged = || format!("{} is damaged: it is no certificate", path.display());
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).with_context(damaged)?;
        let leaf = Leaf::parse(&certificate).with_context(damaged)?;
        if leaf.public_key != key.public_key_raw() {
            bail!("{} does not belong to {}: one of them was replaced", key_path.display(), path.display());
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).with_context(damaged)?;
        Ok(Self { pem, certificate, key_id: leaf.key_id, issuer })
    }

    fn leaf(&self) -> Result<Leaf> {
        Leaf::parse(&self.certificate).context("the certificate of the authority is damaged")
    }

    /// The certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether this authority signed the certificate.
    pub(super) fn signed(&self, leaf: &Leaf) -> bool {
        leaf.signer == self.key_id
    }

    /// Issues a certificate that begins now, with a key of its own.
    pub(crate) fn issue(&self, purpose: &Purpose<'_>, lifetime: Duration, now: SystemTime) -> Result<Issued> {
        let mut params = match purpose {
            Purpose::Server(names) => CertificateParams::new(names.as_set().iter().cloned().collect::<Vec<_>>())?,
            Purpose::Client { .. } => CertificateParams::default(),
        };
        params.distinguished_name = subject(purpose);
        params.extended_key_usages = vec![match purpose {
            Purpose::Server(_) => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client { .. } => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        (params.not_before, params.not_after) = ((now - CLOCK_SKEW).into(), (now + lifetime).into());
        let key = generate_key()?;
        let certificate = params.signed_by(&key, &self.issuer).context("cannot sign a certificate")?;
        Ok(Issued { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }
}

fn subject(purpose: &Purpose<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    match purpose {
        Purpose::Server(_) => name.push(DnType::CommonName, "kluis"),
        Purpose::Client { user, group } => {
            name.push(DnType::OrganizationName, *group);
            name.push(DnType::CommonName, *user);
        }
    }
    name
}

fn generate_key() -> Result<KeyPair> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).context("cannot make a key")
}

fn load_key(path: &Path) -> Result<KeyPair> {
    let pem = file::read_private(path)?.with_context(|| format!("{} is missing", path.display()))?;
    KeyPair::from_pem(&pem).with_context(|| format!("{} is damaged: it is no private key", path.display()))
}

/// Named after the key, so that a certificate of another server's authority is refused as what it is.
fn name(key_id: &[u8]) -> String {
    key_id.iter().take(4).fold("kluis-ca-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn self_signed(key: &KeyPair, now: SystemTime) -> Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name(&params.key_identifier(key)));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = ((now - CLOCK_SKEW).into(), (now + AUTHORITY_LIFETIME).into());
    // Two certificates of one authority must not share a number; the moment tells them apart.
    let number = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    params.serial_number = Some(SerialNumber::from(number));
    Ok(params.self_signed(key).context("cannot sign the certificate of the authority")?.pem())
}
