#![no_main]
//! The entry `prebid_js` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("prebid_js", bytes));
