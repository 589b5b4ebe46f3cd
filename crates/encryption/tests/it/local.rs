//! Local keys: what is made can be read again, by its owner alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use encryption::{KeyFileError, Keyring, LocalKey, OpenError, Provider, ProviderError};
use tempfile::TempDir;

#[test]
fn a_key_survives_and_opens_what_it_sealed() {
    let (_root, folder) = folder();
    let made = LocalKey::create(&folder).unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&folder), mode(&folder.join("local-1.key"))), (0o700, 0o600));
    let id = made.id().to_owned();
    let sealed = ring(made).seal(b"value", b"place").unwrap();

    let mut read = LocalKey::load(&folder).unwrap();
    assert_eq!((read.len(), read[0].id(), read[0].path()), (1, id.as_str(), folder.join("local-1.key").as_path()));
    assert!(read[0].created().elapsed().unwrap().as_secs() < 60);
    let later = ring(read.remove(0));
    assert_eq!(*later.open(&sealed, b"place").unwrap(), b"value");
    assert_eq!(later.status().opened_seeds, 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_key_is_never_overwritten() {
    let (_root, folder) = folder();
    LocalKey::create(&folder).unwrap();
    let before = fs::read(folder.join("local-1.key")).unwrap();
    assert!(matches!(LocalKey::create(&folder), Err(KeyFileError::Exists(_))));
    assert_eq!(fs::read(folder.join("local-1.key")).unwrap(), before);
}

#[test]
fn the_newest_key_comes_first() {
    let (_root, folder) = folder();
    let ids: Vec<String> = (0..3)
        .map(|round| {
            let (_root, other) = self::folder();
            let key = LocalKey::create(&other).unwrap();
            fs::create_dir_all(&folder).unwrap();
            fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
            fs::copy(key.path(), folder.join(format!("local-{}.key", 9 + round))).unwrap();
            key.id().to_owned()
        })
        .collect();
    let read = LocalKey::load(&folder).unwrap();
    assert!(read.iter().map(LocalKey::id).eq(ids.iter().rev()));
}

#[test]
fn what_others_can_read_is_refused_with_the_command_that_mends_it() {
    let (_root, folder) = folder();
    let path = LocalKey::create(&folder).unwrap().path().to_owned();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let said = LocalKey::load(&folder).unwrap_err().to_string();
    assert!(
        said.contains(&format!("{} is open to others (mode 0640): run `chmod 600 {}`", path.display(), path.display())),
        "{said}"
    );
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
    let said = LocalKey::load(&folder).unwrap_err().to_string();
    assert!(said.contains(&format!("run `chmod 700 {}`", folder.display())), "{said}");
}

#[test]
fn a_missing_key_is_said_plainly() {
    let (_root, folder) = folder();
    assert!(matches!(LocalKey::load(&folder), Err(KeyFileError::Missing(_))));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(LocalKey::load(&folder), Err(KeyFileError::Missing(_))));
}

#[test]
fn a_damaged_file_is_told_from_a_foreign_one() {
    let (_root, folder) = folder();
    let path = LocalKey::create(&folder).unwrap().path().to_owned();
    let text = fs::read_to_string(&path).unwrap();
    let key_line = text.lines().last().unwrap();
    let flipped = if key_line.ends_with('0') { "1" } else { "0" };
    for (damaged, reason) in [
        (text.replace("kluis-key 1", "kluis-key 2"), "its first line is not `kluis-key 1`"),
        (
            text.replace(key_line, &format!("{}{flipped}", &key_line[..67])),
            "its id is not that of its key: one of the two was changed",
        ),
        (text.replace(key_line, &key_line[..66]), "the line `key` is missing or not 64 hexadecimal digits"),
        (text.replace("created ", "created x"), "the line `created` is missing or not a number"),
        (format!("{text}more\n"), "a line is neither id, created nor key"),
        (String::new(), "its first line is not `kluis-key 1`"),
    ] {
        fs::write(&path, damaged).unwrap();
        let said = LocalKey::load(&folder).unwrap_err().to_string();
        assert_eq!(said, format!("{} is not a key file: {reason}", path.display()));
        assert!(!said.contains(&key_line[4..20]));
    }
}

#[test]
fn another_key_does_not_open() {
    let ((_one, one), (_two, two)) = (folder(), folder());
    let (first, second) = (LocalKey::create(&one).unwrap(), LocalKey::create(&two).unwrap());
    let sealed = ring(first).seal(b"value", b"place").unwrap();
    let refused = ring(second).open(&sealed, b"place").unwrap_err();
    assert!(matches!(refused, OpenError::Unwrap { source: ProviderError::UnknownKey(_), .. }), "{refused:?}");
}

#[test]
fn a_reader_opens_what_an_older_key_sealed() {
    let ((_one, one), (_two, two)) = (folder(), folder());
    let sealed = ring(LocalKey::create(&one).unwrap()).seal(b"value", b"place").unwrap();
    let older: Vec<Box<dyn Provider>> =
        LocalKey::load(&one).unwrap().into_iter().map(|key| Box::new(key) as _).collect();
    let both = Keyring::new(Box::new(LocalKey::create(&two).unwrap()), older).unwrap();
    assert_eq!(*both.open(&sealed, b"place").unwrap(), b"value");
}

fn folder() -> (TempDir, PathBuf) {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("keys");
    (root, folder)
}

fn ring(key: LocalKey) -> Keyring {
    Keyring::new(Box::new(key), Vec::new()).unwrap()
}
