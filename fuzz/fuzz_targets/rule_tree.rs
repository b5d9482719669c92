#![no_main]
//! The entry `rule_tree` of `vaglio_fuzz::entries`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vaglio_fuzz::entries::run("rule_tree", bytes));
