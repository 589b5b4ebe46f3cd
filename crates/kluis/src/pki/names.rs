//! The names that a server answers to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rcgen::string::Ia5String;

/// Where the names of a server come from. Some of them may change while it runs.
pub(crate) struct Naming {
    /// Addresses that it listens on, or that are said to be its own.
    pub(crate) addresses: Vec<IpAddr>,
    /// Names and addresses that were given.
    pub(crate) others: Vec<String>,
}

impl Naming {
    /// The names now.
    pub(super) fn names(&self) -> Names {
        Names::new(&self.addresses, &self.others)
    }
}

/// Host names and addresses of the serving certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(BTreeSet<String>);

/// What a server is called on every machine and within a cluster.
const FIXED: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

impl Names {
    /// The names of this machine, of these addresses, and these others.
    fn new(addresses: &[IpAddr], others: &[String]) -> Self {
        let mut names: BTreeSet<String> = FIXED.map(str::to_owned).into();
        names.extend(addresses.iter().flat_map(|address| reachable(*address)).map(|address| address.to_string()));
        names.extend(others.iter().map(|name| canonical(name)));
        let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        names.insert(host);
        names.retain(|name| !name.is_empty() && Ia5String::try_from(name.as_str()).is_ok());
        Self(names)
    }

    /// The names in order.
    pub(super) fn as_set(&self) -> &BTreeSet<String> {
        &self.0
    }
}

/// An address as it is printed, a host name in small letters.
fn canonical(name: &str) -> String {
    name.parse::<IpAddr>().map_or_else(|_| name.to_lowercase(), |address| address.to_string())
}

/// The addresses under which a socket bound to this one is reached. A server that listens on all addresses
/// names the one that this machine uses towards others.
fn reachable(address: IpAddr) -> Vec<IpAddr> {
    if !address.is_unspecified() {
        return vec![address];
    }
    let outward = [(IpAddr::from(Ipv4Addr::UNSPECIFIED), "192.0.2.1"), (Ipv6Addr::UNSPECIFIED.into(), "2001:db8::1")];
    let usable = if address.is_ipv4() { 1 } else { 2 };
    outward.iter().take(usable).filter_map(|(from, to)| source_address(*from, to)).collect()
}

/// The address from which this machine would send to another; nothing is sent.
fn source_address(from: IpAddr, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_those_of_the_machine_and_those_given() {
        let names = Names::new(&["10.0.0.5".parse().unwrap()], &["API.example.com".to_owned(), "0:0::2".to_owned()]);
        for name in ["localhost", "127.0.0.1", "::1", "10.0.0.5", "api.example.com", "::2", "kubernetes.default.svc"] {
            assert!(names.as_set().contains(name), "{name} is missing in {names:?}");
        }
    }
}
