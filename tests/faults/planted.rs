//! The harness proved: a mistake is planted in the program, and the harness has to complain.

use crate::run::{copy_of, done, vaglio};
use crate::trace;
use crate::world::World;

#[test]
fn a_directory_that_is_not_synced_is_found_in_the_trace_of_a_build() {
    let world = World::new(12);
    for (bug, found) in [("", false), ("skip_directory_sync", true)] {
        let directory = copy_of(world.path());
        let file = directory.path().join("trace");
        let mut command = vaglio(directory.path(), &["build", "--quiet"]);
        command.env("FAULTS_TRACE", &file).env("FAULTS_BUG", bug);
        done(command);
        let complaints = trace::complaints(&trace::read(&file), true);
        assert_eq!(!complaints.is_empty(), found, "{complaints:?}");
        assert_eq!(complaints.iter().any(|it| it.contains("CURRENT was written")), found, "{complaints:?}");
    }
}
