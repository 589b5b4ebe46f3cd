//! What the command line offers.

use crate::program::{printed, run};

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(printed(&run(&["--version"])), format!("kluis {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_shows_examples_and_every_limit() {
    assert!(printed(&run(&["--help"])).contains("Examples:\n  kluis up"));
    let help = printed(&run(&["server", "--help"]));
    for (flag, default) in [
        ("--bind-address", "127.0.0.1"),
        ("--secure-port", "6443"),
        ("--controllers", "*"),
        ("--service-cluster-ip-range", "10.96.0.0/12"),
        ("--watch-history-age", "5m"),
        ("--watch-history-count", "100000"),
        ("--max-requests-inflight", "400"),
        ("--max-mutating-requests-inflight", "200"),
        ("--max-connections", "10000"),
        ("--max-watches-per-identity", "10000"),
        ("--max-header-size", "64KiB"),
        ("--header-timeout", "10s"),
        ("--max-body-size", "3MiB"),
        ("--body-timeout", "60s"),
    ] {
        let from = help.find(flag).unwrap_or_else(|| panic!("{flag} is missing"));
        let shown = format!("[default: {default}]");
        let at = help[from..].find("[default: ").unwrap();
        assert!(help[from + at..].starts_with(&shown), "{flag}: {shown}");
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(printed(&run(&["completion", shell])).contains("kluis"), "{shell}");
    }
    assert!(printed(&run(&["man"])).contains(".TH kluis 1"));
    let folder = tempfile::tempdir().unwrap();
    printed(&run(&["man", "--directory", folder.path().to_str().unwrap()]));
    assert!(folder.path().join("kluis-store-snapshot.1").exists());
}

#[test]
fn wrong_values_are_refused_with_a_reason() {
    for (flag, reason) in [
        ("--secure-port=70000", "70000 is not in 0..=65535"),
        ("--bind-address=here", "invalid IP address syntax"),
        ("--body-timeout=10", "write for example 10s"),
        ("--service-cluster-ip-range=10.0.0.0/8", "not between /12 and /29"),
        ("--controllers=*,-typo", "there is no controller `typo`"),
        ("--nonsense", "unexpected argument"),
    ] {
        let output = run(&["up", "--data-dir=/nonexistent/kluis", flag]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(reason), "{flag}: {text}");
    }
}
