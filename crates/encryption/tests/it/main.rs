//! The crate from outside: values recorded from kube-apiserver, and local keys.

#[cfg(test)]
mod local;
#[cfg(test)]
mod vectors;
