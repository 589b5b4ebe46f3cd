//! The suite on the embedded engine.

use std::sync::Arc;

use encryption::{Keyring, LocalKey};
use storage::conformance::{CASES, Place};
use storage::{Config, Observer, Store};
use tempfile::TempDir;

#[test]
fn embedded_engine() {
    for (name, case) in CASES {
        println!("{name}");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(case(Arc::new(Folder(TempDir::new().unwrap()))));
    }
}

struct Folder(TempDir);

impl Place for Folder {
    /// A new keyring each time, as after a restart.
    fn open(&self, observer: Arc<dyn Observer>) -> Store {
        let keys = self.0.path().join("keys");
        if !keys.exists() {
            LocalKey::create(&keys).unwrap();
        }
        let key = LocalKey::load(&keys).unwrap().remove(0);
        let keyring = Keyring::new(Box::new(key), Vec::new()).unwrap();
        Store::open(Config::new(self.0.path().join("kluis.db")), Arc::new(keyring), observer).unwrap()
    }
}
