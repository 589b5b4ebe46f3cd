//! The crate from outside: values recorded from kube-apiserver, and local keys.

mod local;
mod vectors;
