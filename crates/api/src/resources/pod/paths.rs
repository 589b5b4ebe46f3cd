//! Paths inside volumes: relative, without a way out.

use super::errors::Errors;
use crate::field::{FieldError, Path};

/// `validatePathNoBacksteps`
pub(super) fn no_backsteps(path: &Path, target: &str, errors: &mut Errors) {
    if has_backsteps(target) {
        errors.push(FieldError::invalid(path, target, "must not contain '..'"));
    }
}

/// Whether an element of the path is `..`.
pub(super) fn has_backsteps(target: &str) -> bool {
    target.split('/').any(|part| part == "..")
}

/// `validateLocalDescendingPath`
pub(super) fn descending(path: &Path, target: &str, errors: &mut Errors) {
    if target.starts_with('/') {
        errors.push(FieldError::invalid(path, target, "must be a relative path"));
    }
    no_backsteps(path, target, errors);
}

/// `ValidateLocalNonReservedPath`
pub(super) fn local(path: &Path, target: &str, errors: &mut Errors) {
    descending(path, target, errors);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.push(FieldError::invalid(path, target, "must not start with '..'"));
    }
}
