//! Pairs made for these tests, and what `tls.X509KeyPair` of Go says of them.

use super::fault;

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a pair made for tests")
}

#[test]
fn pairs_that_serve() {
    let pairs = [
        ("rsa.crt", "rsa.key"),
        ("rsa.crt", "rsa-pkcs1.key"),
        ("curve.crt", "curve.key"),
        ("curve.crt", "curve-sec1.key"),
        ("ed25519.crt", "ed25519.key"),
    ];
    for (certificate, key) in pairs {
        assert_eq!(fault(&file(certificate), &file(key)), None, "{key}");
    }
    let chain = [b"a comment\n".as_slice(), &file("curve.crt"), &file("rsa.crt")].concat();
    assert_eq!(fault(&chain, &file("curve.key")), None);
}

#[test]
fn pairs_that_do_not() {
    let (certificate, key) = (file("rsa.crt"), file("rsa.key"));
    let other = b"-----BEGIN MY S3CRET-----\nAAAA\n-----END MY S3CRET-----\n".as_slice();
    let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".as_slice();
    let no_key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".as_slice();
    let table: &[(&[u8], &[u8], &str)] = &[
        (b"", b"", "tls: failed to find any PEM data in certificate input"),
        (b"\xff\xfe", &key, "tls: failed to find any PEM data in certificate input"),
        (
            b"x-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &key,
            "tls: failed to find any PEM data in certificate input",
        ),
        (&certificate, b"", "tls: failed to find any PEM data in key input"),
        (
            &key,
            &certificate,
            "tls: failed to find certificate PEM data in certificate input, but did find a private \
                              key; PEM inputs may have been switched",
        ),
        (&certificate, &certificate, "tls: found a certificate rather than a key in the PEM for the private key"),
        (
            other,
            &key,
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of \
                       the following types: [<other>]",
        ),
        (
            &certificate,
            other,
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after \
                               skipping PEM blocks of the following types: [<other>]",
        ),
        (bad, &key, "x509: malformed certificate"),
        (&certificate, no_key, "tls: failed to parse private key"),
        (&certificate, &file("curve.key"), "tls: private key type does not match public key type"),
        (&file("curve.crt"), &file("curve-other.key"), "tls: private key does not match public key"),
    ];
    for (certificate, key, wanted) in table {
        assert_eq!(fault(certificate, key).as_deref(), Some(*wanted));
    }
}
