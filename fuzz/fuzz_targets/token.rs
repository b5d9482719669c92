#![no_main]
//! The entry `token` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("token", bytes));
