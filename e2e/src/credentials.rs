//! Client certificates: those of a kubeconfig, none, or ones made for a test.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;

/// Whom a client trusts, and who it is.
#[derive(Clone)]
pub struct Credentials {
    authority: Vec<u8>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Credentials {
    /// What this kubeconfig embeds.
    pub fn read(kubeconfig: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
        let config: serde_json::Value = serde_saphyr::from_str(&text).context("the kubeconfig is no YAML")?;
        let field = |path| decode(config.pointer(path), path);
        let authority = field("/clusters/0/cluster/certificate-authority-data")?;
        let certificate = field("/users/0/user/client-certificate-data")?;
        let key = field("/users/0/user/client-key-data")?;
        Ok(Self { authority, identity: Some((certificate, key)), versions: rustls::ALL_VERSIONS.to_vec() })
    }

    /// The same trust, but nobody.
    pub fn anonymous(&self) -> Self {
        Self { identity: None, ..self.clone() }
    }

    /// The same trust, but who this certificate says, both in PEM.
    pub fn with_identity(&self, certificate: &str, key: &str) -> Self {
        Self { identity: Some((certificate.into(), key.into())), ..self.clone() }
    }

    /// The same, but this version of TLS alone.
    pub fn with_version(&self, version: &'static SupportedProtocolVersion) -> Self {
        Self { versions: vec![version], ..self.clone() }
    }

    /// A connector that offers these protocols.
    pub fn connector(&self, protocols: &[&[u8]]) -> anyhow::Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        for certificate in chain(&self.authority)? {
            roots.add(certificate)?;
        }
        let builder = ClientConfig::builder_with_protocol_versions(&self.versions).with_root_certificates(roots);
        let mut config = match &self.identity {
            Some((certificate, key)) => {
                builder.with_client_auth_cert(chain(certificate)?, PrivateKeyDer::from_pem_slice(key)?)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn chain(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().context("a certificate")
}

fn decode(field: Option<&serde_json::Value>, path: &str) -> anyhow::Result<Vec<u8>> {
    let text = field.and_then(serde_json::Value::as_str).with_context(|| format!("the kubeconfig has no {path}"))?;
    STANDARD.decode(text).with_context(|| format!("base64 in {path}"))
}
