//! The harness proved: a mistake is planted in the program, and each test here runs another one of this harness with it and
//! wants to see it fail, for the right reason.

use crate::run;
use std::process::{Command, Stdio};

/// Runs a test with a mistake planted, which it must find and say so.
#[track_caller]
fn finds(test: &str, bug: &str, complaint: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("FAULTS_BUG", bug);
    let output = command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &run::said(&output);
    assert!(told.contains("running 1 test"), "there is no test {test}: {told}");
    assert!(!output.status.success(), "{test} did not find {bug}: {told}");
    assert!(told.contains(complaint), "{test} failed with {bug} for another reason: {told}");
}

#[test]
fn acknowledging_before_the_sync_is_found() {
    let complaint = "was not synced when it was acknowledged";
    finds("log::the_logs_recover_from_a_fault_at_every_operation", "ack_before_sync", complaint);
}

#[test]
fn a_directory_that_is_not_synced_is_found_in_a_build() {
    let complaint = "was not synced when CURRENT was written";
    finds("store::a_build_recovers_from_a_fault_at_every_operation", "skip_directory_sync", complaint);
}

#[test]
fn a_directory_that_is_not_synced_is_found_in_a_log() {
    let complaint = "was not synced when it was acknowledged";
    finds("log::the_logs_recover_from_a_fault_at_every_operation", "skip_directory_sync", complaint);
}

#[test]
fn a_checksum_that_is_ignored_is_found_in_a_generation() {
    let test = "damage::every_byte_of_a_small_generation_that_is_flipped_or_cut_off_is_detected";
    finds(test, "ignore_checksum", "byte 0 of `");
}

#[test]
fn a_checksum_that_is_ignored_is_found_in_a_log() {
    let test = "damaged_log::every_byte_of_a_small_log_that_is_flipped_or_cut_off_is_detected";
    finds(test, "ignore_checksum", "a wrong record");
}

/// Where no power can be cut here, the order of operations has shown it above.
#[test]
fn what_was_not_synced_is_lost_when_the_power_is_cut() {
    if !crate::power::possible() {
        return;
    }
    let log = "power::nothing_acknowledged_is_lost_when_the_power_is_cut_at_any_moment";
    finds(log, "ack_before_sync", "what was acknowledged is lost");
    let build = "power::a_generation_is_whole_and_what_was_said_to_be_live_is_when_the_power_is_cut";
    finds(build, "skip_directory_sync", "Some(1) is live, built: true");
}
