//! The store from outside: the conformance suite on the embedded engine, crashes, full disks, damage.

#[cfg(test)]
mod conformance;
