//! The local key: a file that only its owner can read, made once and never overwritten.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::aead::{Aad, Nonce};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::Key32;
use crate::provider::{Provider, ProviderError, Wrapped};
use crate::seed::{NONCE, TAG, gcm, hkdf_expand};

/// A key-encryption key from a file of this machine.
#[derive(Debug)]
pub struct LocalKey {
    key: Key32,
    id: String,
    created: SystemTime,
    path: PathBuf,
}

/// A key file could not be made or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is a key already.
    #[error("{0} exists: a key is never overwritten")]
    Exists(PathBuf),
    /// There is no key.
    #[error("no key file local-*.key in {0}: without the key that sealed it the database cannot be read")]
    Missing(PathBuf),
    /// Others than the owner can read it.
    #[error(
        "{path} is open to others (mode {mode:04o}): run `chmod {wanted:o} {path}`, and consider the key known to them"
    )]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it should be.
        wanted: u32,
    },
    /// It is not a key file.
    #[error("{path} is not a key file: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness,
    /// The file system refused.
    #[error("{action} {path}")]
    Io {
        /// What we were doing.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl LocalKey {
    /// Makes the first key of a folder, and the folder if it is not there. When it returns, the key is on the disk.
    pub fn create(folder: &Path) -> Result<Self, KeyFileError> {
        make_folder(folder)?;
        if let Some((_, path)) = key_files(folder)?.pop() {
            return Err(KeyFileError::Exists(path));
        }
        let path = folder.join(file_name(1));
        let key = Key32::random().map_err(|_| KeyFileError::Randomness)?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let made = Self { id: id_of(&key)?, key, created: UNIX_EPOCH + Duration::from_secs(seconds), path };
        write_once(folder, &made.path, &made.text(seconds))?;
        Ok(made)
    }

    /// Reads all keys of a folder, the newest first.
    pub fn load(folder: &Path) -> Result<Vec<Self>, KeyFileError> {
        let metadata = fs::metadata(folder).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => KeyFileError::Missing(folder.to_owned()),
            _ => KeyFileError::Io { action: "read", path: folder.to_owned(), source },
        })?;
        check_mode(folder, metadata.permissions().mode(), 0o700)?;
        let mut files = key_files(folder)?;
        files.sort_unstable_by(|one, other| other.cmp(one));
        if files.is_empty() {
            return Err(KeyFileError::Missing(folder.to_owned()));
        }
        files.into_iter().map(|(_, path)| Self::read(path)).collect()
    }

    /// The key's name in the envelope; says nothing of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was made.
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is kept out of swap.
    pub fn is_locked(&self) -> bool {
        self.key.is_locked()
    }

    fn read(path: PathBuf) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { action: "read", path: path.clone(), source };
        let file = File::open(&path).map_err(io)?;
        check_mode(&path, file.metadata().map_err(io)?.permissions().mode(), 0o600)?;
        // Room for all of it from the start: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
        file.take(MAX_FILE).read_to_end(&mut text).map_err(io)?;
        Self::parse(&text, &path)
    }

    fn parse(text: &[u8], path: &Path) -> Result<Self, KeyFileError> {
        let damaged = |reason| KeyFileError::Damaged { path: path.to_owned(), reason };
        let text = std::str::from_utf8(text).map_err(|_| damaged("it is not text"))?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        if lines.next() != Some(HEADER) {
            return Err(damaged("its first line is not `kluis-key 1`"));
        }
        let (mut id, mut created, mut key) = (None, None, None);
        for line in lines {
            match line.split_once(' ') {
                Some(("id", value)) => id = Some(value),
                Some(("created", value)) => created = value.parse().ok(),
                Some(("key", value)) => key = Key32::build(|out| from_hex(value, out).ok_or(())).ok(),
                _ => return Err(damaged("a line is neither id, created nor key")),
            }
        }
        let key = key.ok_or_else(|| damaged("the line `key` is missing or not 64 hexadecimal digits"))?;
        if id != Some(id_of(&key)?.as_str()) {
            return Err(damaged("its id is not that of its key: one of the two was changed"));
        }
        let created = created
            .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .ok_or_else(|| damaged("the line `created` is missing or not a number"))?;
        Ok(Self { id: id_of(&key)?, key, created, path: path.to_owned() })
    }

    fn text(&self, created: u64) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
        text.push_str(COMMENT);
        text.push_str(&format!("{HEADER}\nid {}\ncreated {created}\nkey ", self.id));
        push_hex(&mut text, self.key.expose());
        text.push('\n');
        text
    }
}

impl Provider for LocalKey {
    fn name(&self) -> &str {
        "local"
    }

    fn key_id(&self) -> &str {
        &self.id
    }

    /// `nonce ‖ AES-256-GCM(seed) ‖ tag`.
    fn wrap(&self, seed: &Key32) -> Result<Wrapped, ProviderError> {
        let mut source = vec![0; NONCE + 32 + TAG];
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce).map_err(|_| ProviderError::Randomness)?;
        let (head, body) = source.split_at_mut(NONCE);
        head.copy_from_slice(&nonce);
        let (sealed, tag) = body.split_at_mut(32);
        gcm(self.key.expose())
            .and_then(|key| {
                let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(WRAP));
                key.seal_out_of_place_scatter(nonce, aad, seed.expose(), sealed, &[], tag)
            })
            .map_err(|Unspecified| ProviderError::Authentication)?;
        Ok(Wrapped { key_id: self.id.clone(), source, annotations: Vec::new() })
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<Key32, ProviderError> {
        if wrapped.key_id != self.id {
            return Err(ProviderError::UnknownKey(wrapped.key_id.clone()));
        }
        let opened = wrapped.source.split_first_chunk::<NONCE>().and_then(|(nonce, body)| {
            let (sealed, tag) = body.split_last_chunk::<TAG>()?;
            let key = gcm(self.key.expose()).ok()?;
            let (nonce, aad) = (Nonce::assume_unique_for_key(*nonce), Aad::from(WRAP));
            Key32::build(|out| key.open_separate_gather(nonce, aad, sealed, tag, out)).ok()
        });
        opened.ok_or(ProviderError::Authentication)
    }
}

fn id_of(key: &Key32) -> Result<String, KeyFileError> {
    let mut bytes = [0; 8];
    hkdf_expand(key, b"kluis key id", &mut bytes).map_err(|Unspecified| KeyFileError::Randomness)?;
    let mut id = String::new();
    push_hex(&mut id, &bytes);
    Ok(id)
}

/// Makes the folder for its owner alone; one that is there must be so already.
fn make_folder(folder: &Path) -> Result<(), KeyFileError> {
    let io = |source| KeyFileError::Io { action: "make", path: folder.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            sync_folder(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            check_mode(folder, fs::metadata(folder).map_err(io)?.permissions().mode(), 0o700)
        }
        Err(error) => Err(io(error)),
    }
}

/// Writes under another name, syncs, and links to the name: the file is there whole or not at all, and a file of the
/// same name stays as it is.
fn write_once(folder: &Path, path: &Path, text: &str) -> Result<(), KeyFileError> {
    let draft = path.with_extension("key.draft");
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| KeyFileError::Io { action, path, source }
    };
    // A draft that is there was left by a process that died before its key was in use.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io("remove", &draft)(error)),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io("make", &draft))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write", &draft))?;
    let linked = fs::hard_link(&draft, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => io("make", path)(source),
    });
    fs::remove_file(&draft).map_err(io("remove", &draft))?;
    linked?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<(), KeyFileError> {
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(|source| KeyFileError::Io {
        action: "sync",
        path: folder.to_owned(),
        source,
    })
}

/// The key files of a folder with their numbers.
fn key_files(folder: &Path) -> Result<Vec<(u64, PathBuf)>, KeyFileError> {
    let io = |source| KeyFileError::Io { action: "read", path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if let Some(number) = entry.file_name().to_str().and_then(number_of) {
            files.push((number, entry.path()));
        }
    }
    Ok(files)
}

fn file_name(number: u64) -> String {
    format!("local-{number}.key")
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("local-")?.strip_suffix(".key")?.parse().ok()?;
    (name == file_name(number)).then_some(number)
}

fn check_mode(path: &Path, mode: u32, wanted: u32) -> Result<(), KeyFileError> {
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(KeyFileError::Exposed { path: path.to_owned(), mode: mode & 0o7777, wanted }),
    }
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
    }
}

fn from_hex(text: &str, out: &mut [u8; 32]) -> Option<()> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != out.len() {
        return None;
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    Some(())
}

const HEADER: &str = "kluis-key 1";
const COMMENT: &str = "\
# Key-encryption key of Kluis. Whoever reads this file and the database reads every Secret.
# Without it the database cannot be opened: keep a copy elsewhere.
";
const WRAP: &[u8] = b"kluis local seed 1";
const MAX_FILE: u64 = 4096;
