//! Power cuts: an ext4 file system in a file, shut down under the writing process without flushing anything, and mounted
//! again. What was in memory only is gone, as with the plug pulled; what the file system had sent to the device stays.
//!
//! Needs root and a free loop device; where there is none, this says that it was skipped, unless `VAGLIO_REQUIRE_POWER_CUTS`
//! is set.

use crate::appender::{Order, appender};
use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::log::{assert_kept, next_order};
use crate::run::{copy_into, done, vaglio};
use crate::world::World;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vaglio::snapshot::{Planes, Store};

/// A small disk of its own.
struct Disk {
    folder: TempDir,
    mounted: bool,
}

fn output(program: &str, arguments: &[&str]) -> Option<Output> {
    Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())
}

impl Disk {
    /// An ext4 file system, mounted; `None` where the machine does not allow it.
    fn new(megabytes: u64) -> Option<Disk> {
        let disk = Disk { folder: crate::run::in_memory(), mounted: false };
        File::create(disk.image()).unwrap().set_len(megabytes << 20).unwrap();
        output("mkfs.ext4", &["-q", "-F", disk.image().to_str()?])?;
        std::fs::create_dir(disk.mount_point()).unwrap();
        disk.mount()
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(mut self) -> Option<Disk> {
        output("mount", &["-o", "loop", self.image().to_str()?, self.mount_point().to_str()?])?;
        self.mounted = true;
        Some(self)
    }

    /// From now on nothing reaches the device, and everybody who tries is told so.
    fn cut(&self) {
        shut_down(&File::open(self.mount_point()).unwrap());
    }

    /// The machine comes up again.
    fn restart(mut self) -> Disk {
        self.unmount();
        self.mount().expect("what was mounted before can be mounted again")
    }

    fn unmount(&mut self) {
        let until = Instant::now() + Duration::from_secs(10);
        // Who was hit may still be on its way out.
        while self.mounted && output("umount", &[self.mount_point().to_str().unwrap()]).is_none() {
            assert!(Instant::now() < until, "{} cannot be unmounted", self.mount_point().display());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.mounted = false;
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.unmount();
        } else if self.mounted {
            let _ = output("umount", &["-l", self.mount_point().to_str().unwrap_or_default()]);
        }
    }
}

/// `EXT4_IOC_SHUTDOWN` without a flush of the journal.
fn shut_down(directory: &File) {
    const SHUTDOWN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
    const WITHOUT_FLUSH: u32 = 2;
    #[allow(unsafe_code, reason = "no safe call shuts a file system down; it reads one u32, which is what it is given")]
    let outcome =
        unsafe { rustix::ioctl::ioctl(directory, rustix::ioctl::Setter::<SHUTDOWN, u32>::new(WITHOUT_FLUSH)) };
    outcome.expect("an ext4 file system can be shut down by root");
}

/// A disk, or the reason why not on the tests' output.
fn disk() -> Option<Disk> {
    let disk = Disk::new(24);
    if disk.is_none() {
        let required = std::env::var_os("VAGLIO_REQUIRE_POWER_CUTS").is_some();
        assert!(!required, "power cuts are required, and no ext4 file system can be mounted here");
        // Past libtest's capture, so that a skipped test is seen.
        let _ = writeln!(std::io::stderr(), "skipped: power cuts need root, mkfs.ext4 and a loop device");
    }
    disk
}

/// Whether the machine allows power cuts.
pub fn possible() -> bool {
    disk().is_some()
}

fn cuts(few: u64) -> u64 {
    std::env::var("VAGLIO_POWER_CUTS").map_or(few, |asked| asked.parse().expect("VAGLIO_POWER_CUTS is a number"))
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut_at_any_moment() {
    let Some(mut disk) = disk() else { return };
    let (cuts, begun) = (cuts(15), Instant::now());
    let (mut ledger, mut acknowledged, mut folder) = (Ledger::default(), 0, "0".to_owned());
    for round in 0..cuts {
        let mut dice = Dice(round);
        let order: Order = next_order(&mut ledger, dice.next(), 40);
        let (line, later) = (dice.below(30), Duration::from_micros(dice.below(4_000)));
        let data = disk.mount_point().join(&folder);
        std::fs::create_dir_all(&data).unwrap();
        ledger.listen(appender(&data, &order), |told, child| {
            if told == line {
                std::thread::sleep(later);
                disk.cut();
                child.kill().unwrap();
            }
        });
        disk = disk.restart();
        assert_kept(&ledger, &disk.mount_point().join(&folder), &format!("cut {round}"));
        if round % 25 == 24 {
            acknowledged += ledger.acknowledged();
            std::fs::remove_dir_all(disk.mount_point().join(&folder)).unwrap();
            (ledger, folder) = (Ledger::default(), round.to_string());
        }
    }
    acknowledged += ledger.acknowledged();
    println!("{cuts} power cuts of a log, {acknowledged} records acknowledged, {:?}", begun.elapsed());
}

/// What is live in a directory, whole or not at all.
fn live(data: &Path) -> Option<u64> {
    let store = Store::open(data).unwrap();
    let live = store.current().unwrap()?;
    store.open_snapshot(live, Planes::All, None).unwrap_or_else(|error| panic!("generation {live}: {error}"));
    Some(live.0)
}

#[test]
fn a_generation_is_whole_and_what_was_said_to_be_live_is_when_the_power_is_cut() {
    let Some(mut disk) = disk() else { return };
    let (cuts, begun) = (cuts(8), Instant::now());
    let (world, other) = (World::new(12), World::new(13));
    let mut finished = 0;
    for round in 0..cuts {
        let mut dice = Dice(round);
        let directory = disk.mount_point().join("world");
        let _ = std::fs::remove_dir_all(&directory);
        copy_into(world.path(), &directory);
        done(vaglio(&directory, &["build", "--quiet"]));
        rustix::fs::sync();
        for name in ["crm.csv", "web.ndjson", "shop.csv"] {
            std::fs::copy(other.path().join(name), directory.join(name)).unwrap();
        }
        let mut child = vaglio(&directory, &["build", "--quiet", "--format", "json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until_its_end = dice.once_in(2);
        let built = if until_its_end {
            child.wait().unwrap().success()
        } else {
            std::thread::sleep(Duration::from_millis(dice.below(60)));
            false
        };
        disk.cut();
        let _ = child.kill();
        child.wait().unwrap();
        disk = disk.restart();
        let live = live(&disk.mount_point().join("world/data"));
        assert!(live == Some(2) || (live == Some(1) && !built), "cut {round}: {live:?} is live, built: {built}");
        finished += u64::from(built);
    }
    println!("{cuts} power cuts of a build, {finished} right after its end, {:?}", begun.elapsed());
}
