//! A key in memory: on pages of its own that are not swapped out, wiped when dropped.

use std::fmt;

use aws_lc_rs::rand;
use region::LockGuard;
use zeroize::Zeroize;

/// A 32-byte key. It cannot be cloned, and its debug output shows nothing of it.
pub struct Key32 {
    // Before the page: a page must be unlocked before it is given back.
    guard: Option<LockGuard>,
    page: Box<Page>,
}

/// Alone on its pages, because unlocking a page unlocks it for everything that lies there.
#[cfg_attr(target_arch = "aarch64", repr(align(65536)))]
#[cfg_attr(not(target_arch = "aarch64"), repr(align(4096)))]
struct Page([u8; 32]);

impl Key32 {
    /// Makes a key in place.
    pub fn build<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let page = Box::new(Page([0; 32]));
        let guard = region::lock(page.0.as_ptr(), page.0.len()).ok();
        let mut key = Self { guard, page };
        fill(&mut key.page.0)?;
        Ok(key)
    }

    /// A key from the randomness of the operating system.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        Self::build(|bytes| rand::fill(bytes))
    }

    /// The bytes of the key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.page.0
    }

    /// Whether the operating system keeps it out of swap: false when the limit of locked memory (`ulimit -l`) is
    /// reached.
    pub fn is_locked(&self) -> bool {
        self.guard.is_some()
    }
}

impl Drop for Key32 {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(<redacted 32 bytes>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_on_pages_of_their_own() {
        let keys: Vec<Key32> = (0..4).map(|_| Key32::random().unwrap()).collect();
        for key in &keys {
            assert_eq!(key.expose().as_ptr() as usize % 4096, 0);
        }
        assert!(size_of::<Page>() >= 4096);
    }

    #[test]
    fn debug_shows_nothing() {
        let key = Key32::build(|bytes| {
            bytes.fill(0x41);
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(format!("{key:?}"), "Key32(<redacted 32 bytes>)");
    }
}
