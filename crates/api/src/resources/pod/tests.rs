//! Pods against what a kube-apiserver 1.36.2 answered, and tables after the Go tests of the same functions.

mod check;
mod defaults;
mod lifecycle;
mod printing;
mod recorded;
mod resources;
mod update;
mod validation;
mod warnings;
