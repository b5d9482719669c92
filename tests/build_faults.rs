//! Builds that go wrong, as processes: killed at any moment, two at once, on a full disk. The last good generation
//! answers on, and the next build cleans up.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod world;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use vaglio::build::What;
use vaglio::snapshot::{Planes, Store};
use world::{World, files_below};

const ROUNDS: u32 = 12;

fn vaglio(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.arg("build").arg("--config").arg(world.config()).stdin(Stdio::null());
    // There it names the tests' data, here it would move the generations.
    command.env_remove("VAGLIO_DATA_DIR");
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The live generation is whole: every section is there and verifies. Returns its number.
fn assert_whole(world: &World) -> u64 {
    let store = Store::open(world.data()).unwrap();
    let live = store.current().unwrap().expect("there is a live generation");
    store.open_snapshot(live, Planes::All, None).unwrap();
    live.0
}

/// Nothing lies about that no generation names.
fn assert_tidy(world: &World) {
    let store = Store::open(world.data()).unwrap();
    let mut named: Vec<_> = store
        .manifests()
        .unwrap()
        .into_iter()
        .flat_map(|generation| store.manifest(generation).unwrap().sections)
        .map(|section| world.data().join("sections").join(section.xxh3))
        .collect();
    named.sort();
    named.dedup();
    assert_eq!(files_below(&world.data().join("sections")), named);
    assert!(files_below(&world.data().join("tmp")).is_empty());
}

#[test]
fn a_build_killed_at_any_moment_leaves_the_last_good_generation() {
    let world = World::new(3_000);
    let started = Instant::now();
    let output = run(vaglio(&world));
    assert!(output.status.success(), "{}", said(&output));
    let whole_build = started.elapsed();
    let mut live = assert_whole(&world);
    for round in 0..ROUNDS {
        // Other rows each time: sections that are there already would not be written again.
        World::new(3_001 + round).copy_sources_to(&world);
        let next = Store::open(world.data()).unwrap().next_generation().unwrap().0;
        let mut child = vaglio(&world).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the build, and past its end; never the same moment twice.
        std::thread::sleep(whole_build.mul_f64(f64::from(round * 7 % ROUNDS) / f64::from(ROUNDS - 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = assert_whole(&world);
        // Killed between the manifest and its publication, a build leaves its number taken: no later one has it.
        assert!(now == live || now == next, "generation {now} after {live}, and {next} was free");
        live = now;
    }
    let output = run(vaglio(&world));
    assert!(output.status.success(), "the lock went with its holder: {}", said(&output));
    assert!(assert_whole(&world) > live);
    assert_tidy(&world);
}

#[test]
fn the_first_build_killed_leaves_nothing_that_answers() {
    let world = World::new(3_000);
    for round in 0..3 {
        let mut child = vaglio(&world).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(10 + 40 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        if Store::open(world.data()).unwrap().current().unwrap().is_some() {
            assert_whole(&world);
        }
    }
    let output = run(vaglio(&world));
    assert!(output.status.success(), "{}", said(&output));
    assert_whole(&world);
    assert_tidy(&world);
}

#[test]
fn a_second_build_exits_with_1_and_names_the_first() {
    let world = World::new(50);
    let store = Store::open(world.data()).unwrap();
    let lock = store.lock("build").unwrap();
    let output = run(vaglio(&world));
    assert_eq!(output.status.code(), Some(1));
    let held = format!("held by process {}", std::process::id());
    assert!(said(&output).contains(&held), "{}", said(&output));
    drop(lock);
    assert!(run(vaglio(&world)).status.success());
}

#[test]
fn a_file_that_may_not_grow_fails_the_build_and_nothing_else() {
    let world = World::new(3_000);
    world.build(What::Full).unwrap();
    // 16 KiB a file: the sources are read, the sections cannot be written.
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 32; exec "$0" build --config "$1""#]);
    limited.arg(env!("CARGO_BIN_EXE_vaglio")).arg(world.config()).env_remove("VAGLIO_DATA_DIR");
    let output = run(limited);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("cannot write section"), "{}", said(&output));
    assert_eq!(assert_whole(&world), 1);
    assert_tidy(&world);
}

#[test]
fn a_full_disk_fails_the_build_says_so_and_gives_the_room_back() {
    let world = World::new(3_000);
    std::fs::create_dir(world.data()).unwrap();
    let data = world.data();
    let Some(_disk) = SmallDisk::mount(&data) else {
        eprintln!("skipped: mounting a small disk needs root");
        return;
    };
    assert!(run(vaglio(&world)).status.success());
    let free = free_bytes(&world.data());
    let ballast = world.data().join("ballast");
    std::fs::write(&ballast, vec![1; free.saturating_sub(32 << 10)]).unwrap();
    // Other rows, so that no section is there already.
    World::new(2_999).copy_sources_to(&world);
    let output = run(vaglio(&world));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("free some space"), "{}", said(&output));
    assert_eq!(assert_whole(&world), 1);
    assert_tidy(&world);
    std::fs::remove_file(ballast).unwrap();
    assert!(run(vaglio(&world)).status.success());
    assert_eq!(assert_whole(&world), 2);
}

fn free_bytes(directory: &Path) -> usize {
    let stat = rustix::fs::statvfs(directory).unwrap();
    (stat.f_bavail * stat.f_frsize) as usize
}

/// A few megabytes of memory as a disk; gone with the value.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}
