//! Who gets in: client certificates of the server's own authority, over TLS 1.2 or newer.

use e2e::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::process::Command;

#[tokio::test]
async fn without_a_certificate_only_health_and_version_are_open() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let nobody = server.client()?.with(server.admin()?.anonymous());
    for open in ["/livez", "/readyz", "/healthz", "/version"] {
        assert_eq!(nobody.get(open).await?.status, 200, "{open}");
    }
    for closed in ["/api", "/apis", "/openapi/v3", "/metrics", "/api/v1/namespaces/default/secrets", "/nothing"] {
        let reply = nobody.get(closed).await?;
        assert_eq!((reply.status, reply.json()?["reason"].as_str()), (401, Some("Unauthorized")), "{closed}");
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_nobody() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let (certificate, key) = foreign("kluis:cluster-admins")?;
    let foreign = server.client()?.with(server.admin()?.with_identity(&certificate, &key));
    // Either the handshake fails or the request is answered 401; it is never let in.
    match foreign.get("/api/v1/namespaces/default/secrets").await {
        Ok(reply) => assert_eq!(reply.status, 401),
        Err(error) => assert!(!format!("{error:#}").contains("is not answered"), "{error:#}"),
    }
    Ok(())
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_nothing_older() -> anyhow::Result<()> {
    e2e::tools::need(&["openssl"])?;
    let server = Server::start().await?;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = server.client()?.with(server.admin()?.with_version(version));
        assert_eq!(client.get("/api").await?.status, 200);
    }
    for old in ["-tls1", "-tls1_1"] {
        let address = format!("127.0.0.1:{}", server.port());
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &address, old, "-cipher", "ALL:@SECLEVEL=0"]);
        let output = command.stdin(std::process::Stdio::null()).output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains("Cipher is (NONE)"), "{old}: {text}");
    }
    Ok(())
}

/// A certificate of an authority that the server does not know, in this group.
fn foreign(group: &str) -> anyhow::Result<(String, String)> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "intruder");
    params.distinguished_name.push(DnType::OrganizationName, group);
    Ok((params.signed_by(&key, &authority)?.pem(), key.serialize_pem()))
}
