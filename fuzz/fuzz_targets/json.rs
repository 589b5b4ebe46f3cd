//! Bodies in JSON, as every kind.
#![no_main]

use api::decode::Media;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::read(Media::Json, data));
