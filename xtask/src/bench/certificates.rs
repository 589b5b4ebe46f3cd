//! TLS on both sides: an authority of the floor's own, and clients for the floor and for Kluis.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

/// Makes an authority, a serving and a client certificate in this folder.
pub(crate) fn create(dir: &Path) -> anyhow::Result<()> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "floor-ca");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    fs::write(dir.join("ca.pem"), authority.pem())?;
    for name in ["server", "client"] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        fs::write(dir.join(format!("{name}.pem")), params.signed_by(&key, &authority)?.pem())?;
        fs::write(dir.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

/// The floor's side, which asks for a client certificate as Kluis does.
pub(crate) fn server(dir: &Path) -> anyhow::Result<ServerConfig> {
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots(&fs::read(dir.join("ca.pem"))?)?)).build()?;
    let chain = chain(&fs::read(dir.join("server.pem"))?)?;
    let key = PrivateKeyDer::from_pem_file(dir.join("server.key")).context("the floor's key")?;
    Ok(ServerConfig::builder().with_client_cert_verifier(verifier).with_single_cert(chain, key)?)
}

/// The client of a floor whose certificates are in this folder.
pub(crate) fn floor_client(dir: &Path) -> anyhow::Result<Arc<ClientConfig>> {
    client(&fs::read(dir.join("ca.pem"))?, &fs::read(dir.join("client.pem"))?, &fs::read(dir.join("client.key"))?)
}

/// The client that a kubeconfig with embedded data names.
pub(crate) fn kubeconfig_client(path: &Path) -> anyhow::Result<Arc<ClientConfig>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let field = |name: &str| {
        let value =
            text.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(name)?.strip_prefix(':'));
        let value = value.with_context(|| format!("{} has no {name}", path.display()))?;
        STANDARD.decode(value.trim().trim_matches('"')).with_context(|| format!("{name} of {}", path.display()))
    };
    client(&field("certificate-authority-data")?, &field("client-certificate-data")?, &field("client-key-data")?)
}

/// A client without a certificate that takes any server: for the first moments of a server that makes its own authority.
pub(crate) fn stranger() -> Arc<ClientConfig> {
    let trusting = ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(Anyone));
    Arc::new(trusting.with_no_client_auth())
}

fn client(authority: &[u8], certificate: &[u8], key: &[u8]) -> anyhow::Result<Arc<ClientConfig>> {
    let key = PrivateKeyDer::from_pem_slice(key).context("the client's key")?;
    let builder = ClientConfig::builder().with_root_certificates(roots(authority)?);
    Ok(Arc::new(builder.with_client_auth_cert(chain(certificate)?, key)?))
}

fn chain(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().context("a certificate")
}

fn roots(pem: &[u8]) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(pem)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

/// Takes any certificate: for a probe on this machine whose answer is a time and nothing else.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
