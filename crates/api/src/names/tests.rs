//! Tables after `k8s.io/apimachinery/pkg/util/validation/validation_test.go` and its siblings.

use super::*;

fn check(name: &str, got: &[String], wanted: &[&str]) {
    assert_eq!(got.len(), wanted.len(), "{name:?}: {got:?}");
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(got.starts_with(wanted), "{name:?}: {got:?}");
    }
}

#[test]
fn subdomains() {
    // TestIsDNS1123Subdomain
    let long = "a".repeat(253);
    for right in ["a", "ab", "a1", "a.b", "1.2", "a-b.c-1", "0", long.as_str()] {
        check(right, &subdomain(right), &[]);
    }
    for wrong in ["", "A", "-a", "a-", "a..b", ".", "a.", ".a", "a_b", "a b", "é", "a.-b"] {
        check(wrong, &subdomain(wrong), &["a lowercase RFC 1123 subdomain must consist of"]);
    }
    let long = "a".repeat(254);
    check(&long, &subdomain(&long), &["must be no more than 253 characters"]);
}

#[test]
fn labels() {
    // TestIsDNS1123Label, TestIsDNS1035Label
    check("a-1", &label("a-1"), &[]);
    check("a.b", &label("a.b"), &["must not contain dots"]);
    check("A", &label("A"), &["a lowercase RFC 1123 label must consist of"]);
    check("a-1", &label_1035("a-1"), &[]);
    check("1a", &label_1035("1a"), &["a DNS-1035 label must consist of"]);
    check("a.b", &label_1035("a.b"), &["a DNS-1035 label must consist of"]);
    let long = "a".repeat(64);
    check(&long, &label(&long), &["must be no more than 63 characters"]);
}

#[test]
fn qualified_names() {
    // TestIsQualifiedName
    for right in ["simple", "now-with-dashes", "1-starts-with-num", "example.com/A_b-c.9", "12.34/56.78"] {
        check(right, &qualified(right), &[]);
    }
    check("", &qualified(""), &["name part must be non-empty", "name part must consist of"]);
    check("/a", &qualified("/a"), &["prefix part must be non-empty"]);
    check("a/", &qualified("a/"), &["name part must be non-empty", "name part must consist of"]);
    check("a/b/c", &qualified("a/b/c"), &["a valid label key must consist of"]);
    check("A/b", &qualified("A/b"), &["prefix part a lowercase RFC 1123 subdomain"]);
    let long = format!("{}/{}", "p".repeat(254), "n".repeat(64));
    let wanted = ["prefix part must be no more than 253 bytes", "name part must be no more than 63 bytes"];
    check(&long, &qualified(&long), &wanted);
}

#[test]
fn keys_and_variables() {
    // TestIsConfigMapKey, TestIsEnvVarName, TestIsRelaxedEnvVarName
    for right in ["a", "good", "good-good", "still.good", "...still-good".trim_start_matches('.'), "THIS_IS_ALSO_GOOD"]
    {
        check(right, &config_key(right), &[]);
    }
    check("", &config_key(""), &["a valid config key must consist of"]);
    check(".", &config_key("."), &["must not be '.'"]);
    check("..", &config_key(".."), &["must not be '..'"]);
    check("..a", &config_key("..a"), &["must not start with '..'"]);
    check("a/b", &config_key("a/b"), &["a valid config key must consist of"]);
    check("1A", &env_name("1A"), &["a valid environment variable name must consist of alphabetic"]);
    check("A-b.c_1", &env_name("A-b.c_1"), &[]);
    check("1 A#", &relaxed_env_name("1 A#"), &[]);
    check("a=b", &relaxed_env_name("a=b"), &["a valid environment variable name must consist only of"]);
    check("", &relaxed_env_name(""), &["environment variable name must be non-empty"]);
}

#[test]
fn ports() {
    // TestIsValidPortNum, TestIsValidPortName
    check("0", &port_number(0), &["must be between 1 and 65535, inclusive"]);
    check("65535", &port_number(65_535), &[]);
    check("http", &port_name("http"), &[]);
    check("80", &port_name("80"), &["must contain at least one letter"]);
    check("-a--b", &port_name("-a--b"), &["must not contain consecutive", "must not begin or end"]);
    check("sixteen-chars-xx", &port_name("sixteen-chars-xx"), &["must be no more than 15 characters"]);
}

#[test]
fn addresses() {
    // TestIsValidIP, TestGetWarningsForIP
    let field = Path::new("ip");
    let v4 = |a, b, c, d| Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
    assert_eq!(parse_ip("1.2.3.4"), v4(1, 2, 3, 4));
    assert_eq!(parse_ip("001.002.003.004"), v4(1, 2, 3, 4));
    assert_eq!(parse_ip("::ffff:1.2.3.4"), v4(1, 2, 3, 4));
    for wrong in
        ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4/32", "myhost", "2001:db8", "1.2.3.", "[::1]", "::1%lo"]
    {
        assert_eq!(parse_ip(wrong), None, "{wrong}");
        assert_eq!(ip(&field, wrong).len(), 1, "{wrong}");
    }
    assert_eq!(ip_warning(&field, "1.2.3.4"), None);
    assert_eq!(ip_warning(&field, "2001:db8::1"), None);
    assert_eq!(
        ip_warning(&field, "01.2.3.4").as_deref(),
        Some(
            r#"ip: non-standard IP address "01.2.3.4" will be considered invalid in a future Kubernetes release: use "1.2.3.4""#
        )
    );
    assert_eq!(
        ip_warning(&field, "2001:DB8::1").as_deref(),
        Some(r#"ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")"#)
    );
    assert_eq!(parse_cidr("10.0.0.0/8").map(|(_, length)| length), Some(8));
    assert_eq!(parse_cidr("10.0.0.0/33"), None);
}

#[test]
fn generated_names_are_checked_with_their_dash_masked() {
    // TestValidateNameFunc's prefix cases, maskTrailingDash
    check("a-b-", &by_rule(NameRule::DnsSubdomain, "a-b-", true), &[]);
    check("a-b-", &by_rule(NameRule::DnsSubdomain, "a-b-", false), &["a lowercase RFC 1123 subdomain"]);
    check("-", &by_rule(NameRule::DnsSubdomain, "-", true), &[]);
    check("a/%", &by_rule(NameRule::PathSegment, "a/%", false), &["may not contain '/'", "may not contain '%'"]);
    check("..", &by_rule(NameRule::PathSegment, "..", false), &["may not be '..'"]);
}
