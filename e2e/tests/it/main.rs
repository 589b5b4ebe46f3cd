//! The real program, driven as its users do.
#![expect(clippy::indexing_slicing, reason = "a missing field of an answer fails the test, as it should")]
#![expect(clippy::print_stdout, reason = "what a script of its own counted")]

mod acceptance;
mod canary;
mod crash;
mod golden;
mod kube_client;
mod limits;
mod python;
mod startup;
mod tls;
