//! Long computations: while one runs, the other tasks of its thread go on elsewhere.

use tokio::runtime::{Handle, RuntimeFlavor};

/// As much work as may delay others: about half a millisecond.
const LONG: usize = 64 << 10;

/// Does work of a size: bytes that are decoded, patched or printed. Whoever does lighter work says less.
pub(crate) fn long<T>(size: usize, work: impl FnOnce() -> T) -> T {
    let has_others = || Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if size >= LONG && has_others() { tokio::task::block_in_place(work) } else { work() }
}
