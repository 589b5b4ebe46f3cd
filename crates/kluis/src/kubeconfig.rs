//! Kubeconfig files with everything in them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

/// What a kubeconfig needs to hold.
pub(crate) struct Access<'a> {
    /// Where the server is, e.g. `https://127.0.0.1:6443`.
    pub(crate) server: &'a str,
    /// The certificate authority, as PEM.
    pub(crate) authority: &'a str,
    /// The client's certificate, as PEM.
    pub(crate) certificate: &'a str,
    /// The client's key, as PEM.
    pub(crate) key: &'a str,
    /// The name of the user's entry.
    pub(crate) user: &'a str,
}

/// The text of the file.
pub(crate) fn render(access: &Access<'_>) -> Zeroizing<String> {
    let encoded_key = Zeroizing::new(STANDARD.encode(access.key));
    Zeroizing::new(format!(
        "\
apiVersion: v1
kind: Config
clusters:
- name: kluis
  cluster:
    certificate-authority-data: {authority}
    server: {server}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: {user}@kluis
  context:
    cluster: kluis
    user: {user}
current-context: {user}@kluis
",
        authority = STANDARD.encode(access.authority),
        server = access.server,
        user = access.user,
        certificate = STANDARD.encode(access.certificate),
        key = encoded_key.as_str(),
    ))
}

/// What of a kubeconfig says whether it still works.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) server: String,
    pub(crate) authority: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
}

/// Reads the entry of this user; `None` where the file is no kubeconfig that `render` could have made.
pub(crate) fn parse(text: &str, user: &str) -> Option<Found> {
    let file: File = serde_saphyr::from_str(text).ok()?;
    let cluster = file.clusters.into_iter().find(|entry| entry.name == "kluis")?.cluster;
    let user = file.users.into_iter().find(|entry| entry.name == user)?.user;
    STANDARD.decode(&user.client_key_data).ok().map(Zeroizing::new)?;
    Some(Found {
        server: cluster.server,
        authority: STANDARD.decode(cluster.certificate_authority_data).ok()?,
        certificate: STANDARD.decode(user.client_certificate_data).ok()?,
    })
}

#[derive(Deserialize)]
struct File {
    clusters: Vec<ClusterEntry>,
    users: Vec<UserEntry>,
}

#[derive(Deserialize)]
struct ClusterEntry {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    certificate_authority_data: String,
    server: String,
}

#[derive(Deserialize)]
struct UserEntry {
    name: String,
    user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate_data: String,
    client_key_data: String,
}

#[cfg(test)]
mod tests {
    use super::{Access, parse, render};

    #[test]
    fn what_is_written_is_read_back() {
        let access = Access { server: "https://h:1", authority: "ca", certificate: "crt", key: "key", user: "admin" };
        let text = render(&access);
        let found = parse(&text, "admin").unwrap();
        assert_eq!((found.server.as_str(), found.authority.as_slice()), ("https://h:1", b"ca".as_slice()));
        assert_eq!(found.certificate, b"crt");
        assert!(parse(&text, "other").is_none());
        assert!(parse("hello", "admin").is_none());
    }
}
