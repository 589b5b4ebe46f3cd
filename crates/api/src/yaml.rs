//! YAML as `sigs.k8s.io/yaml` reads and writes it: the rules of YAML 1.1 by way of JSON.

pub(crate) mod emit;
pub(crate) mod read;
mod scalar;

#[cfg(test)]
mod tests;
