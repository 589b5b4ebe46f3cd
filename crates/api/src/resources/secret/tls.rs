//! The warning about a `kubernetes.io/tls` Secret whose pair cannot serve: Go's `tls.X509KeyPair`.

/// What is wrong with the pair, as Go says it.
pub(super) fn fault(certificate: &[u8], _key: &[u8]) -> Option<String> {
    let marker = b"-----BEGIN ";
    let has_pem = certificate.windows(marker.len()).any(|window| window == marker);
    (!has_pem).then(|| "tls: failed to find any PEM data in certificate input".to_owned())
}
