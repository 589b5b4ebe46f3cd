//! Values of flags: durations and sizes as Kubernetes writes them, networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

/// A duration as Go writes it: `10s`, `5m`, `1h30m`, `250ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write for example 10s, 5m or 1h30m");
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(millis).map(Duration::from_millis);
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    if total.is_zero() { Err(wrong()) } else { Ok(total) }
}

/// A size: `3145728`, `64KiB`, `3MiB`, with or without the last letters.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is no size; write for example 65536, 64KiB or 3MiB");
    let (number, unit) = split_number(text);
    let number: usize = number.parse().map_err(|_| wrong())?;
    let factor = match unit.trim_end_matches('B') {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).filter(|size| *size > 0).ok_or_else(wrong)
}

fn split_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// A network: an address and how many of its bits are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The first address that a Service can have: the one of the API server itself.
    pub(crate) fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) | 1).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) | 1).into(),
        }
    }
}

/// The limits are those of kube-apiserver: at most 2^20 addresses, and at least 8.
impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; write for example 10.96.0.0/12");
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if !(bits - 20..=bits - 3).contains(&prefix) {
            return Err(format!("`{text}` is not between /{} and /{}", bits - 20, bits - 3));
        }
        Ok(Self { address: masked(address, bits - prefix), prefix })
    }
}

/// The address with its last bits cleared.
fn masked(address: IpAddr, free: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) >> free << free).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> free << free).into(),
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cidr, duration, size};
    use std::time::Duration;

    #[test]
    fn durations() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "10", "s", "10x", "0s", "1.5h", "-1s", "99999999999999999999h", "9999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("65536"), Ok(65536));
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("3Mi"), Ok(3 << 20));
        for wrong in ["", "0", "MiB", "3 MiB", "3MB", "99999999999999999999", "-1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks() {
        let check = |text: &str, shown: &str, first: &str| {
            let cidr: Cidr = text.parse().unwrap();
            assert_eq!((cidr.to_string().as_str(), cidr.first().to_string().as_str()), (shown, first));
        };
        check("10.96.0.0/12", "10.96.0.0/12", "10.96.0.1");
        check("10.97.3.4/16", "10.97.0.0/16", "10.97.0.1");
        check("fd00::/112", "fd00::/112", "fd00::1");
        for wrong in ["10.96.0.0", "10.96.0.0/8", "10.96.0.0/30", "fd00::/64", "x/12", "10.96.0.0/x"] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }
}
