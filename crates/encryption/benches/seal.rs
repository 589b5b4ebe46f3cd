//! What sealing and opening cost. `cargo bench -p encryption`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: a panic is its answer, its output a table")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use encryption::{Keyring, LocalKey};

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke" || argument == "--test");
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let key = LocalKey::create(&keys).unwrap();
    let keyring = Keyring::new(Box::new(key), Vec::new()).unwrap();
    let aad = b"/registry/secrets/default/database";
    for size in [64, 1800, 16_384, 1 << 20] {
        let plain = vec![7; size];
        let sealed = keyring.seal(&plain, aad).unwrap();
        let mut out = Vec::new();
        let seal = measure(smoke, || {
            out.clear();
            keyring.seal_into(black_box(&plain), aad, &mut out).unwrap();
        });
        let open = measure(smoke, || drop(black_box(keyring.open(black_box(&sealed), aad).unwrap())));
        println!("{size:>8} bytes: seal {:>9.2} us, open {:>9.2} us, {} bytes more", seal, open, sealed.len() - size);
    }
}

/// The best of several rounds, in microseconds each.
fn measure(smoke: bool, mut work: impl FnMut()) -> f64 {
    let time = Duration::from_millis(if smoke { 2 } else { 100 });
    let rounds = (0..5).map(|_| {
        let (started, mut count) = (Instant::now(), 0_u32);
        while started.elapsed() < time {
            work();
            count += 1;
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    });
    rounds.fold(f64::INFINITY, f64::min)
}
