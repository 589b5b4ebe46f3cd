//! The store from outside: the conformance suite on the embedded engine, a model, crashes, full disks, damage, snapshots.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod format;
#[cfg(test)]
mod full;
#[cfg(test)]
mod model;
#[cfg(test)]
mod place;
#[cfg(test)]
mod power;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod tail;
