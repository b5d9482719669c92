#![no_main]
//! The entry `live_facts` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("live_facts", bytes));
