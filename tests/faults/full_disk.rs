//! A full disk: events are refused clearly, objections still fit into what is kept free for them, lookups go on, and when
//! there is room again so do events.

use crate::run::copy_into;
use crate::serving::{Serving, objection, open_world, ping};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use vaglio::schema::Clock;

/// A few megabytes of memory as a disk; gone with the value.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

/// Takes all the room that is left.
fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    for size in [64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_refuses_events_takes_objections_serves_on_and_recovers() {
    let world = open_world();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let Some(_disk) = SmallDisk::mount(&data) else {
        // Past libtest's capture, so that a skipped test is seen.
        let _ = writeln!(std::io::stderr(), "skipped: mounting a small disk needs root");
        return;
    };
    copy_into(world.path(), folder.path());
    let mut server = Serving::start(folder.path(), &[], None).unwrap();
    // A rule is asked at the start of a minute: what happens in this one is seen from the next.
    let now = Clock::System.now().0 - 60;
    let send = |server: &Serving, id: &str, person| server.send(&ping(id, person, now)).unwrap();
    assert_eq!(send(&server, "before", 1).status, 200);
    fill(&data.join("ballast"));
    // What is left of the last page of a file may still take a few.
    let mut taken = vec![];
    let refused = (0..400).find_map(|at| {
        let answer = send(&server, &format!("full-{at}"), 100 + at);
        if answer.status == 200 {
            taken.push(100 + at);
        }
        (answer.status != 200).then_some(answer)
    });
    let refused = refused.expect("a full disk takes no event");
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(
        refused.body.contains("nothing of this was taken") && refused.body.contains("free some space"),
        "{refused:?}"
    );
    for person in 10..30 {
        let answer = server.send(&objection(&format!("objection-{person}"), person, now)).unwrap();
        assert!(answer.status == 200 && answer.json()["accepted"] == 1, "objections fit: {answer:?}");
        assert_eq!(server.look_up(person).0, "blocked");
    }
    assert_eq!(send(&server, "still", 2).status, 507, "what is kept free is not for events");
    assert!(server.look_up(1).1.contains(&"acme/pinged".to_owned()), "lookups go on");
    std::fs::remove_file(data.join("ballast")).unwrap();
    assert_eq!(send(&server, "still", 2).status, 200, "there is room again");
    server.kill();
    let server = Serving::start(folder.path(), &[], None).unwrap();
    for person in [1, 2].into_iter().chain(taken) {
        assert!(server.look_up(person).1.contains(&"acme/pinged".to_owned()), "{person} was acknowledged");
    }
    (10..30).for_each(|person| assert_eq!(server.look_up(person).0, "blocked"));
}
