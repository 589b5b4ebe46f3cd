//! Label and field selectors, with the errors of `k8s.io/apimachinery/pkg/labels` and `.../fields`.

mod field;
mod label;

use thiserror::Error;

pub use crate::selector::field::{FieldSelector, FieldTerm};
pub use crate::selector::label::{LabelSelector, Operator, Requirement};

/// Why a selector cannot be read; the text is the message of a 400.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SelectorError(String);
