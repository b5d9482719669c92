#![no_main]
//! The entry `caps` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("caps", bytes));
