//! What a certificate says that decides whether it is still good.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::parse_x509_certificate;

/// What a certificate says.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Host names and addresses.
    pub(super) names: BTreeSet<String>,
    /// The key id of the authority that signed it.
    pub(super) signer: Vec<u8>,
    /// The id of its own key.
    pub(super) key_id: Vec<u8>,
    /// Its public key, as it is encoded.
    pub(super) public_key: Vec<u8>,
    start: SystemTime,
    end: SystemTime,
}

impl Leaf {
    /// Reads a certificate; `None` where it is none.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let mut leaf = Self {
            names: BTreeSet::new(),
            signer: Vec::new(),
            key_id: Vec::new(),
            public_key: certificate.public_key().subject_public_key.data.to_vec(),
            start: moment(certificate.validity().not_before.timestamp())?,
            end: moment(certificate.validity().not_after.timestamp())?,
        };
        leaf.read_extensions(&certificate);
        Some(leaf)
    }

    fn read_extensions(&mut self, certificate: &X509Certificate<'_>) {
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(found) => {
                    self.signer = found.key_identifier.as_ref().map(|id| id.0.to_vec()).unwrap_or_default();
                }
                ParsedExtension::SubjectKeyIdentifier(found) => self.key_id = found.0.to_vec(),
                ParsedExtension::SubjectAlternativeName(found) => {
                    self.names = found.general_names.iter().filter_map(name).collect();
                }
                _ => {}
            }
        }
    }

    /// When a certificate is to be replaced: after two thirds of its life, so that a renewal that fails can be
    /// repeated for a long time.
    pub(super) fn due(&self) -> SystemTime {
        let life = self.end.duration_since(self.start).unwrap_or_default();
        self.start + life * 2 / 3
    }
}

fn moment(seconds: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    }
}
