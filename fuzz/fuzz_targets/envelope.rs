//! Sealed bytes: what was sealed opens; what was changed, moved or made up does not.
#![no_main]

use std::sync::LazyLock;

use encryption::{Keyring, LocalKey};

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let key = LocalKey::create(&folder.path().join("keys")).expect("a key");
    Keyring::new(Box::new(key), Vec::new()).expect("a keyring")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert!(KEYRING.open(data, b"/registry/secrets/a/b").is_err(), "made-up bytes open");
    let Some((change, plain)) = data.split_first() else { return };
    let mut sealed = KEYRING.seal(plain, b"here").expect("it seals");
    assert_eq!(KEYRING.open(&sealed, b"here").expect("it opens").as_slice(), plain);
    assert!(KEYRING.open(&sealed, b"there").is_err(), "it opens elsewhere");
    let last = sealed.len() - 1;
    sealed[last.saturating_sub(usize::from(*change))] ^= 1;
    assert!(KEYRING.open(&sealed, b"here").map_or(true, |opened| opened.as_slice() == plain), "a changed value opens");
    sealed.truncate(last - usize::from(*change).min(last));
    assert!(KEYRING.open(&sealed, b"here").is_err(), "a cut value opens");
});
