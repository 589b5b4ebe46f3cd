//! Rules of Pods, and of the Bindings that place them.

use super::Rules;

/// The rules of Pods.
pub struct Pod;

impl Rules for Pod {}

/// The rules of Bindings, which are never stored: creating one sets `spec.nodeName` of its pod.
pub struct Binding;

impl Rules for Binding {}
