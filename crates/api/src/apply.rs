//! Server-side apply: who owns which field of an object (`metadata.managedFields`).

/// Who writes, through which version and part of the resource, and when.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// The field manager of the request; `unknown` where it is empty.
    pub name: &'a str,
    /// e.g. `v1`
    pub api_version: &'a str,
    /// e.g. `status`; empty for the object itself.
    pub subresource: &'a str,
    /// The time of the request as `metav1.Time` is written.
    pub now: &'a str,
    /// Fields that this part of the resource does not write (`Rules::reset_fields`).
    pub reset: &'a [&'a [&'a str]],
}
