//! What `cargo xtask generate` wrote: the schema table of Kubernetes 1.36.

use std::sync::OnceLock;

use crate::schema::Schema;

/// The table of the built-in kinds.
pub fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(Schema::default)
}
