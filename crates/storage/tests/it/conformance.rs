//! The suite on the embedded engine.

use std::sync::Arc;

use storage::conformance::CASES;

use crate::place::{Folder, block_on};

#[test]
fn embedded_engine() {
    for (name, case) in CASES {
        println!("{name}");
        block_on(case(Arc::new(Folder::new())));
    }
}
