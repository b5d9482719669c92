#![no_main]
//! The entry `change` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("change", bytes));
