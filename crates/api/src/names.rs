//! How names, keys and addresses must look, with the texts of Kubernetes 1.36.
//!
//! Mirrors `k8s.io/apimachinery/pkg/util/validation`, `pkg/api/validate/content` and `pkg/api/validation/generic.go`.
//! Each check gives the list of what is wrong; an empty list means that the text is right.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::field::{FieldError, Path};
use crate::resources::NameRule;

/// What is wrong with a text.
pub type Faults = Vec<String>;

/// The most bytes of an RFC 1123 subdomain.
pub const SUBDOMAIN_LENGTH: usize = 253;
/// The most bytes of an RFC 1123 or RFC 1035 label, of a label value and of the name part of a label key.
pub const LABEL_LENGTH: usize = 63;
/// The end of the messages about fields that may not change (`FieldImmutableErrorMsg`).
pub const IMMUTABLE: &str = "field is immutable";

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SUBDOMAIN_UNDERSCORE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start \
     and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                     and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                          alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', \
                          regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                         alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation \
                         is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
                           and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
                           '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  \
                          or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or \
                        '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', \
                        regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";
const RELAXED_ENV_NAME: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";
const HTTP_HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex \
                           used for validation is '[-A-Za-z0-9]+')";

/// `IsDNS1123Subdomain`
pub fn subdomain(text: &str) -> Faults {
    let mut faults = longer_than(text, SUBDOMAIN_LENGTH);
    if !is_subdomain(text) {
        faults.push(SUBDOMAIN.to_owned());
    }
    faults
}

/// `IsDNS1123SubdomainWithUnderscore`
pub fn subdomain_with_underscore(text: &str) -> Faults {
    let mut faults = longer_than(text, SUBDOMAIN_LENGTH);
    let is_part = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        is_enclosed(part, is_lower_or_digit, |byte| is_lower_or_digit(byte) || byte == b'-' || byte == b'_')
    };
    if !text.split('.').all(is_part) {
        faults.push(SUBDOMAIN_UNDERSCORE.to_owned());
    }
    faults
}

/// `IsDNS1123Label`
pub fn label(text: &str) -> Faults {
    let mut faults = longer_than(text, LABEL_LENGTH);
    if !is_label(text) {
        faults.push(if is_subdomain(text) { "must not contain dots".to_owned() } else { LABEL.to_owned() });
    }
    faults
}

/// `IsDNS1035Label`
pub fn label_1035(text: &str) -> Faults {
    let mut faults = longer_than(text, LABEL_LENGTH);
    if !(is_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())) {
        faults.push(LABEL_1035.to_owned());
    }
    faults
}

/// `IsQualifiedName`, in 1.36 `content.IsLabelKey`: an optional subdomain, a slash, a name.
pub fn qualified(text: &str) -> Faults {
    let mut faults = Faults::new();
    let mut parts = text.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            check_prefix(prefix, &mut faults);
            name
        }
        _ => {
            faults.push(format!(
                "a valid label key {NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ));
            return faults;
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_LENGTH {
        faults.push(format!("name part must be no more than {LABEL_LENGTH} bytes"));
    }
    if !is_name_part(name) {
        faults.push(format!("name part {NAME_PART}"));
    }
    faults
}

fn check_prefix(prefix: &str, faults: &mut Faults) {
    if prefix.is_empty() {
        faults.push("prefix part must be non-empty".to_owned());
        return;
    }
    if prefix.len() > SUBDOMAIN_LENGTH {
        faults.push(format!("prefix part must be no more than {SUBDOMAIN_LENGTH} bytes"));
    }
    if !is_subdomain(prefix) {
        faults.push(format!("prefix part {SUBDOMAIN}"));
    }
}

/// `IsValidLabelValue`
pub fn label_value(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.len() > LABEL_LENGTH {
        faults.push(format!("must be no more than {LABEL_LENGTH} bytes"));
    }
    if !text.is_empty() && !is_name_part(text) {
        faults.push(LABEL_VALUE.to_owned());
    }
    faults
}

/// `IsConfigMapKey`: the keys of ConfigMaps and Secrets.
pub fn config_key(text: &str) -> Faults {
    let mut faults = longer_than(text, SUBDOMAIN_LENGTH);
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        faults.push(CONFIG_KEY.to_owned());
    }
    faults.extend(directory_prefix(text));
    faults
}

/// `IsEnvVarName`
pub fn env_name(text: &str) -> Faults {
    let mut faults = Faults::new();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !text.bytes().all(is_part) || text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) {
        faults.push(ENV_NAME.to_owned());
    }
    faults.extend(directory_prefix(text));
    faults
}

/// `IsRelaxedEnvVarName`
pub fn relaxed_env_name(text: &str) -> Faults {
    let mut faults = Faults::new();
    if text.is_empty() {
        faults.push("environment variable name must be non-empty".to_owned());
    }
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        faults.push(RELAXED_ENV_NAME.to_owned());
    }
    faults
}

/// `IsHTTPHeaderName`
pub fn http_header(text: &str) -> Faults {
    let right = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if right { Faults::new() } else { vec![HTTP_HEADER.to_owned()] }
}

/// `IsValidPortNum`
pub fn port_number(port: i64) -> Faults {
    in_range(port, 1, 65_535)
}

/// `IsInRange`
pub fn in_range(value: i64, least: i64, most: i64) -> Faults {
    if (least..=most).contains(&value) {
        Faults::new()
    } else {
        vec![format!("must be between {least} and {most}, inclusive")]
    }
}

/// `IsValidPortName`: an IANA service name.
pub fn port_name(text: &str) -> Faults {
    let mut faults = longer_than(text, 15);
    if text.is_empty() || !text.bytes().all(|byte| is_lower_or_digit(byte) || byte == b'-') {
        faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        faults.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        faults.push("must not begin or end with a hyphen".to_owned());
    }
    faults
}

/// `path.ValidatePathSegmentName` and `IsValidPathSegmentName`; a prefix may still become a right name.
pub fn path_segment(text: &str, is_prefix: bool) -> Faults {
    let mut faults = Faults::new();
    if !is_prefix && (text == "." || text == "..") {
        faults.push(format!("may not be '{text}'"));
        return faults;
    }
    for illegal in ['/', '%'] {
        if text.contains(illegal) {
            faults.push(format!("may not contain '{illegal}'"));
        }
    }
    faults
}

/// Checks a name by the rule of its kind (`ValidateNameFunc`); a prefix (`generateName`) may end in a dash.
pub fn by_rule(rule: NameRule, name: &str, is_prefix: bool) -> Faults {
    let check = match rule {
        NameRule::DnsSubdomain => subdomain,
        NameRule::DnsLabel => label,
        NameRule::Dns1035Label => label_1035,
        NameRule::PathSegment => return path_segment(name, is_prefix),
    };
    match name.strip_suffix('-') {
        Some(_) if is_prefix => check(&mask_trailing_dash(name)),
        _ => check(name),
    }
}

/// `maskTrailingDash`, which takes the last two characters for one.
fn mask_trailing_dash(name: &str) -> String {
    let mut masked = name.to_owned();
    masked.pop();
    masked.pop();
    masked.push('a');
    masked
}

/// `IsValidIPForLegacyField` with strict validation, as 1.36 has it: any form that means one address only.
pub fn ip(field: &Path, text: &str) -> Vec<FieldError> {
    let invalid = |detail: &str| vec![FieldError::invalid(field, text, detail)];
    match (parse_ip(text), text.parse::<IpAddr>()) {
        (None, _) => invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        (Some(_), Err(_)) => invalid("must not have leading 0s"),
        (Some(_), Ok(IpAddr::V6(address))) if address.to_ipv4_mapped().is_some() => {
            invalid("must not be an IPv4-mapped IPv6 address")
        }
        _ => Vec::new(),
    }
}

/// [`ip`], but what the old object already had is left alone.
pub fn ip_unless_known(field: &Path, text: &str, known: &[&str]) -> Vec<FieldError> {
    if known.contains(&text) { Vec::new() } else { ip(field, text) }
}

/// `GetWarningsForIP`: an address that is valid, but not in the form to come.
pub fn ip_warning(field: &Path, text: &str) -> Option<String> {
    let lenient = parse_ip(text)?;
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(strict)) if strict.to_ipv4_mapped().is_none() => {
            let canonical = strict.to_string();
            (canonical != text).then(|| {
                format!(r#"{field}: IPv6 address "{text}" should be in RFC 5952 canonical format ("{canonical}")"#)
            })
        }
        Ok(IpAddr::V4(_)) => None,
        _ => Some(format!(
            r#"{field}: non-standard IP address "{text}" will be considered invalid in a future Kubernetes release: use "{lenient}""#
        )),
    }
}

/// `ParseIPSloppy`: decimal IPv4 parts may have leading zeros; an IPv4 address mapped into IPv6 is that IPv4 address.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let address = text.parse::<Ipv6Addr>().ok()?;
        return Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4));
    }
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        *octet = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    }
    parts.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// `IsValidCIDRForLegacyField` with strict validation.
pub fn cidr(field: &Path, text: &str) -> Vec<FieldError> {
    let invalid = |detail: &str| vec![FieldError::invalid(field, text, detail)];
    let Some((address, length)) = parse_cidr(text) else {
        return invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    };
    let (given, digits) = text.split_once('/').unwrap_or((text, ""));
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    match given.parse::<IpAddr>() {
        Err(_) => invalid("must not have leading 0s in IP or prefix length"),
        Ok(_) if leading_zero => invalid("must not have leading 0s in IP or prefix length"),
        Ok(IpAddr::V6(mapped)) if mapped.to_ipv4_mapped().is_some() => {
            invalid("must not have an IPv4-mapped IPv6 address")
        }
        Ok(_) if masked(address, length) != address => invalid("must not have bits set beyond the prefix length"),
        Ok(_) => Vec::new(),
    }
}

/// `GetWarningsForCIDR`: a range that is valid, but not in its canonical form.
pub fn cidr_warning(field: &Path, text: &str) -> Option<String> {
    let (address, length) = parse_cidr(text)?;
    let canonical = format!("{}/{length}", masked(address, length));
    (address.is_ipv6() && canonical != text)
        .then(|| format!(r#"{field}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format ("{canonical}")"#))
}

/// The address with all bits beyond the prefix cleared.
fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)).into()
        }
    }
}

/// `ValidateEndpointIP`: not an address that means another host to everyone who reads it.
pub fn endpoint_ip(field: &Path, text: &str) -> Vec<FieldError> {
    let Some(address) = parse_ip(text) else {
        return vec![FieldError::invalid(field, text, "must be a valid IP address")];
    };
    let (link_local, link_local_multicast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets().starts_with(&[224, 0, 0])),
        IpAddr::V6(v6) => {
            (v6.is_unicast_link_local(), v6.segments().first().is_some_and(|first| first & 0xff0f == 0xff02))
        }
    };
    let mut faults = Faults::new();
    if address.is_unspecified() {
        faults.push(format!("may not be unspecified ({text})"));
    }
    if address.is_loopback() {
        faults.push("may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned());
    }
    if link_local {
        faults.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned());
    }
    if link_local_multicast {
        faults.push("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned());
    }
    FieldError::each(field, text, faults)
}

/// `IsFullyQualifiedDomainName`: at least two labels, perhaps a final dot.
pub fn domain(field: &Path, text: &str) -> Vec<FieldError> {
    if text.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let faults = subdomain(name);
    if !faults.is_empty() {
        return vec![FieldError::invalid(field, name, faults.join(","))];
    }
    if !name.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        return vec![FieldError::invalid(field, name, detail)];
    }
    let wrong = name.split('.').map(|part| (part, label(part))).find(|(_, faults)| !faults.is_empty());
    wrong.map(|(part, faults)| FieldError::invalid(field, part, faults.join(","))).into_iter().collect()
}

/// `ParseCIDRSloppy`: the address and the length of the prefix.
pub fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    if length.is_empty() || length.len() > 3 || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let most = if address.contains(':') { 128 } else { 32 };
    let length = length.parse::<u8>().ok().filter(|length| *length <= most)?;
    Some((parse_ip(address)?, length))
}

fn longer_than(text: &str, most: usize) -> Faults {
    if text.len() > most { vec![format!("must be no more than {most} characters")] } else { Faults::new() }
}

/// `hasChDirPrefix`
fn directory_prefix(text: &str) -> Option<String> {
    match text {
        "." | ".." => Some(format!("must not be '{text}'")),
        _ if text.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    is_enclosed(text, is_lower_or_digit, |byte| is_lower_or_digit(byte) || byte == b'-')
}

fn is_name_part(text: &str) -> bool {
    is_enclosed(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte),
    )
}

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether the first and the last byte are of one set and all of another.
fn is_enclosed(text: &str, end: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| end(*byte))
        && bytes.last().is_some_and(|byte| end(*byte))
        && bytes.iter().all(|byte| inner(*byte))
}

#[cfg(test)]
mod tests;
