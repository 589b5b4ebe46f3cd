//! The warning about a `kubernetes.io/tls` Secret whose pair cannot serve, with the texts of Go's `tls.X509KeyPair`.
//!
//! A look at the outer form only: it is a hint to the user, never a decision. Where telling whether a key belongs to
//! a certificate would need arithmetic on curves (a private key that does not carry its public half), it is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// What is wrong with the pair, as Go says it.
pub(super) fn fault(certificate: &[u8], key: &[u8]) -> Option<String> {
    pair(certificate, key).err()
}

fn pair(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let certificate = find_certificate(certificate)?;
    let key = find_key(key)?;
    let public = certificate_key(&certificate).ok_or("x509: malformed certificate")?;
    let private = private_key(&key).ok_or("tls: failed to parse private key")?;
    if public.algorithm == Algorithm::Other {
        return Err("tls: unknown public key algorithm".to_owned());
    }
    if public.algorithm != private.algorithm {
        return Err("tls: private key type does not match public key type".to_owned());
    }
    match private.public {
        Some(half) if half != public.half => Err("tls: private key does not match public key".to_owned()),
        _ => Ok(()),
    }
}

/// A block of PEM; what it holds may be a key.
struct Block<'a> {
    label: &'a str,
    der: Zeroizing<Vec<u8>>,
}

fn find_certificate(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let (found, skipped) = find(pem, |label| label == "CERTIFICATE");
    if let Some(der) = found {
        return Ok(der);
    }
    Err(match skipped.as_slice() {
        [] => "tls: failed to find any PEM data in certificate input".to_owned(),
        [only] if only.ends_with("PRIVATE KEY") => {
            "tls: failed to find certificate PEM data in certificate input, but \
                                                    did find a private key; PEM inputs may have been switched"
                .to_owned()
        }
        _ => format!(
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the \
             following types: {}",
            labels(&skipped)
        ),
    })
}

fn find_key(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let (found, skipped) = find(pem, |label| label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY"));
    if let Some(der) = found {
        return Ok(der);
    }
    Err(match skipped.as_slice() {
        [] => "tls: failed to find any PEM data in key input".to_owned(),
        ["CERTIFICATE"] => "tls: found a certificate rather than a key in the PEM for the private key".to_owned(),
        _ => format!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks \
             of the following types: {}",
            labels(&skipped)
        ),
    })
}

/// The first block whose label is wanted, and the labels before it.
fn find(pem: &[u8], wanted: fn(&str) -> bool) -> (Option<Zeroizing<Vec<u8>>>, Vec<&str>) {
    let Ok(mut rest) = std::str::from_utf8(pem) else { return (None, Vec::new()) };
    let mut skipped = Vec::new();
    while let Some((block, after)) = next_block(rest) {
        if wanted(block.label) {
            return (Some(block.der), skipped);
        }
        skipped.push(block.label);
        rest = after;
    }
    (None, skipped)
}

/// Labels that are not well known might be part of the secret: they are not repeated.
fn labels(all: &[&str]) -> String {
    let known = ["CERTIFICATE", "CERTIFICATE REQUEST", "PUBLIC KEY", "EC PARAMETERS", "DH PARAMETERS", "X509 CRL"];
    let is_known = |label: &str| known.contains(&label) || label.ends_with("PRIVATE KEY") && label.len() < 30;
    let shown: Vec<&str> = all.iter().map(|label| if is_known(label) { *label } else { "<other>" }).collect();
    format!("[{}]", shown.join(" "))
}

/// `pem.Decode`: the next well-formed block, and what follows it.
fn next_block(text: &str) -> Option<(Block<'_>, &str)> {
    let mut rest = text;
    loop {
        let at = rest.find("-----BEGIN ")?;
        let at_line_start = at == 0 || rest.as_bytes().get(at - 1) == Some(&b'\n');
        let after = rest.get(at + "-----BEGIN ".len()..)?;
        rest = after;
        let Some((line, body)) = after.split_once('\n') else { continue };
        let Some(label) = line.trim_end().strip_suffix("-----") else { continue };
        let Some((body, after)) = body.split_once(&format!("-----END {label}-----")) else { continue };
        let Some(der) = decode(body).filter(|_| at_line_start) else { continue };
        return Some((Block { label, der }, after));
    }
}

/// The base64 of a block, without its headers.
fn decode(body: &str) -> Option<Zeroizing<Vec<u8>>> {
    let data = body.lines().skip_while(|line| line.contains(": ") || line.starts_with(' '));
    let joined: Zeroizing<String> = Zeroizing::new(data.flat_map(|line| line.split_whitespace()).collect());
    STANDARD.decode(joined.as_bytes()).ok().map(Zeroizing::new)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rsa,
    Curve,
    Ed25519,
    Other,
}

/// The public key of a certificate: the modulus of RSA, the point of others.
struct PublicKey<'a> {
    algorithm: Algorithm,
    half: &'a [u8],
}

/// A private key, with its public half if it carries it.
struct PrivateKey<'a> {
    algorithm: Algorithm,
    public: Option<&'a [u8]>,
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const TAGGED_0: u8 = 0xa0;
const TAGGED_1: u8 = 0xa1;
const BIT_STRING_1: u8 = 0x81;

/// `Certificate.tbsCertificate.subjectPublicKeyInfo`
fn certificate_key(der: &[u8]) -> Option<PublicKey<'_>> {
    let mut certificate = Der(Der(der).expect(SEQUENCE)?);
    let mut tbs = Der(certificate.expect(SEQUENCE)?);
    tbs.optional(TAGGED_0);
    tbs.expect(INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        tbs.expect(SEQUENCE)?;
    }
    let mut info = Der(tbs.expect(SEQUENCE)?);
    let algorithm = algorithm(info.expect(SEQUENCE)?)?;
    let bits = info.expect(BIT_STRING)?.get(1..)?;
    let half = if algorithm == Algorithm::Rsa { Der(Der(bits).expect(SEQUENCE)?).expect(INTEGER)? } else { bits };
    Some(PublicKey { algorithm, half })
}

/// `parsePrivateKey`: PKCS #1, PKCS #8 or SEC 1.
fn private_key(der: &[u8]) -> Option<PrivateKey<'_>> {
    let mut key = Der(Der(der).expect(SEQUENCE)?);
    key.expect(INTEGER)?;
    match key.tag()? {
        INTEGER => Some(PrivateKey { algorithm: Algorithm::Rsa, public: Some(key.expect(INTEGER)?) }),
        OCTET_STRING => curve_key(key),
        SEQUENCE => {
            let algorithm = algorithm(key.expect(SEQUENCE)?)?;
            let inner = key.expect(OCTET_STRING)?;
            match algorithm {
                Algorithm::Rsa | Algorithm::Curve => private_key(inner),
                Algorithm::Ed25519 => {
                    key.optional(TAGGED_0);
                    let public = key.optional(BIT_STRING_1).and_then(|bits| bits.get(1..));
                    Some(PrivateKey { algorithm, public })
                }
                Algorithm::Other => None,
            }
        }
        _ => None,
    }
}

/// The rest of an `ECPrivateKey` after its version.
fn curve_key(mut key: Der<'_>) -> Option<PrivateKey<'_>> {
    key.expect(OCTET_STRING)?;
    key.optional(TAGGED_0);
    let public = key.optional(TAGGED_1).and_then(|tagged| Der(tagged).expect(BIT_STRING)?.get(1..));
    Some(PrivateKey { algorithm: Algorithm::Curve, public })
}

fn algorithm(identifier: &[u8]) -> Option<Algorithm> {
    Some(match Der(identifier).expect(OBJECT_ID)? {
        // rsaEncryption, id-ecPublicKey, id-Ed25519
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01] => Algorithm::Rsa,
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => Algorithm::Curve,
        [0x2b, 0x65, 0x70] => Algorithm::Ed25519,
        _ => Algorithm::Other,
    })
}

/// What is still to be read of a DER value.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        if *found != tag || length > rest.len() {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some(content)
    }

    fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag() == Some(tag) { self.expect(tag) } else { None }
    }
}

fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = der.split_first()?;
    let count = match first {
        0..=0x7f => return Some((usize::from(*first), rest)),
        0x81..=0x83 => usize::from(first & 0x7f),
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(count)?;
    Some((digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest))
}

#[cfg(test)]
mod tests;
