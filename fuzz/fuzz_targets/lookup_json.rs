#![no_main]
//! The entry `lookup_json` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("lookup_json", bytes));
