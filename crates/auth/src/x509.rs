//! From a client certificate to an identity: `authentication/request/x509` of Kubernetes.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;
use x509_parser::oid_registry::{OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME, Oid};
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

use crate::Identity;

/// `1.3.6.1.4.1.57683.2`: the attribute of the subject that holds the user's uid.
const USER_UID: &[u64] = &[1, 3, 6, 1, 4, 1, 57683, 2];

/// A certificate that proves no identity.
#[derive(Debug, Error)]
pub enum IdentifyError {
    /// It cannot be read.
    #[error("the certificate is not valid DER")]
    Parse,
    /// Its subject has no common name, hence no user name.
    #[error("the certificate's subject has no common name")]
    NoCommonName,
    /// A part of its subject is no text.
    #[error("a part of the certificate's subject is no text")]
    NotText,
    /// Its subject has more than one uid.
    #[error("the certificate's subject has more than one uid")]
    ManyUids,
}

/// The identity that a client certificate proves. Whether the certificate is to be trusted (its chain, its
/// dates, its usage) was decided in the TLS handshake.
pub fn identify(der: &[u8]) -> Result<Identity, IdentifyError> {
    let (_, certificate) = parse_x509_certificate(der).map_err(|_| IdentifyError::Parse)?;
    let subject = certificate.subject();
    let user = texts(subject, &OID_X509_COMMON_NAME)?.pop().filter(|name| !name.is_empty());
    let groups = texts(subject, &OID_X509_ORGANIZATION_NAME)?;
    let uid = uid(subject)?;
    let identity = Identity::authenticated(user.ok_or(IdentifyError::NoCommonName)?, groups);
    Ok(Identity { uid, ..identity }.with_credential_id(fingerprint(der)))
}

/// When a client certificate stops proving anything. A connection, or the session that a new one takes up again,
/// can outlive the certificate that it began with.
pub fn end(der: &[u8]) -> Result<SystemTime, IdentifyError> {
    let (_, certificate) = parse_x509_certificate(der).map_err(|_| IdentifyError::Parse)?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(IdentifyError::Parse)
}

/// `X509SHA256=` and the hash of the certificate in hex.
fn fingerprint(der: &[u8]) -> String {
    let mut text = String::from("X509SHA256=");
    for byte in digest(&SHA256, der).as_ref() {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

fn uid(subject: &X509Name<'_>) -> Result<String, IdentifyError> {
    let oid = Oid::from(USER_UID).map_err(|_| IdentifyError::Parse)?;
    let mut uids = texts(subject, &oid)?;
    let uid = uids.pop().unwrap_or_default();
    if uids.is_empty() { Ok(uid) } else { Err(IdentifyError::ManyUids) }
}

/// The values of every attribute of this kind in the order of the subject, as Go's `pkix.Name` is filled.
fn texts(subject: &X509Name<'_>, oid: &Oid<'_>) -> Result<Vec<String>, IdentifyError> {
    let values = subject.iter_by_oid(oid).map(|attribute| attribute.as_str().map(str::to_owned));
    values.collect::<Result<_, _>>().map_err(|_| IdentifyError::NotText)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::{end, identify};

    fn certificate(attributes: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in attributes {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn common_name_is_the_user_and_organizations_are_groups() {
        let der = certificate(&[(DnType::OrganizationName, "system:masters"), (DnType::CommonName, "admin")]);
        let identity = identify(&der).unwrap();
        assert_eq!(identity.user, "admin");
        assert_eq!(identity.uid, "");
        assert_eq!(identity.groups, ["system:masters", "system:authenticated"]);
        assert_eq!(identity.credential_id().len(), "X509SHA256=".len() + 64);
    }

    #[test]
    fn the_end_is_that_of_the_certificate() {
        let der = certificate(&[(DnType::CommonName, "admin")]);
        let end = end(&der).unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(end, 67_090_118_400, "rcgen's default: 4096-01-01");
    }

    #[test]
    fn the_uid_attribute_is_read() {
        let uid = DnType::CustomDnType(super::USER_UID.to_vec());
        let der = certificate(&[(DnType::CommonName, "jane"), (uid, "u-1")]);
        assert_eq!(identify(&der).unwrap().uid, "u-1");
    }

    #[test]
    fn without_a_common_name_nobody_is_identified() {
        let der = certificate(&[(DnType::OrganizationName, "system:masters")]);
        assert_eq!(identify(&der).unwrap_err().to_string(), "the certificate's subject has no common name");
        assert!(identify(b"junk").is_err());
    }
}
