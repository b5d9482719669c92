#![no_main]
//! The entry `openrtb_proto` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("openrtb_proto", bytes));
