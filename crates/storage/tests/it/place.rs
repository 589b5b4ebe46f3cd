//! A folder with a key and a database, and programs that run beside the test.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use encryption::{Keyring, LocalKey};
use storage::conformance::{Place, Seen};
use storage::{Config, Observer, OpenError, Store};
use tempfile::TempDir;

pub(crate) struct Folder {
    _root: Option<TempDir>,
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        let path = root.path().to_owned();
        LocalKey::create(&path.join("keys")).unwrap();
        Self { _root: Some(root), path }
    }

    /// The folder that another process made.
    pub(crate) fn at(path: &Path) -> Self {
        Self { _root: None, path: path.to_owned() }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("kluis.db")
    }

    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        let key = LocalKey::load(&self.path.join("keys")).unwrap().remove(0);
        Arc::new(Keyring::new(Box::new(key), Vec::new()).unwrap())
    }

    pub(crate) fn try_open(&self) -> Result<(Store, Arc<Seen>), OpenError> {
        self.open_file(&self.database())
    }

    /// Opens another database of this folder's key.
    pub(crate) fn open_file(&self, path: &Path) -> Result<(Store, Arc<Seen>), OpenError> {
        self.open_with(Config::new(path))
    }

    pub(crate) fn open_with(&self, config: Config) -> Result<(Store, Arc<Seen>), OpenError> {
        let seen = Arc::new(Seen::default());
        let store = Store::open(config, self.keyring(), Arc::clone(&seen) as Arc<dyn Observer>)?;
        Ok((store, seen))
    }
}

impl Place for Folder {
    /// A new keyring each time, as after a restart.
    fn open(&self, observer: Arc<dyn Observer>) -> Store {
        Store::open(Config::new(self.database()), self.keyring(), observer).unwrap()
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(future)
}

/// This test program again, running one test with a folder to work in.
pub(crate) fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(FOLDER, folder);
    command
}

/// The folder, when this is such a child.
pub(crate) fn folder_of_child() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

const FOLDER: &str = "KLUIS_STORAGE_TEST_FOLDER";
