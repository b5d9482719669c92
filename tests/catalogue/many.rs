//! As many definitions as there may be.

use crate::place::Place;
use std::fmt::Write;
use std::time::{Duration, Instant};

#[test]
fn twenty_thousand_audiences_are_taken_listed_and_read_again() {
    let place = Place::new().start();
    let mut text = "audiences:\n".to_owned();
    for n in 0..19_990 {
        let _ = writeln!(
            text,
            "- {{ id: a{n}, owner: acme, name: Number {n}, kind: target, rule: plan = gold and age > {} }}",
            n % 80
        );
    }
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:?}", begun.elapsed());
        // Unoptimised, beside other tests.
        assert!(begun.elapsed() < Duration::from_secs(100), "{what}");
    };
    timed("upload and publish", &mut || {
        let done = place.post("/api/v1/definitions?publish=true", &text);
        assert_eq!(done.status, 200, "{}", &done.body[..done.body.len().min(1_000)]);
    });
    timed("first page", &mut || drop(place.get("/api/v1/definitions")));
    timed("last page", &mut || {
        let page = place.get("/api/v1/definitions?after=audience:acme/a9989&limit=1000");
        assert_eq!(page["total"], 19_995);
    });
    timed("read from the beginning", &mut || {
        let defined = vaglio::build::defined::read(&place.world.loaded()).unwrap();
        assert_eq!(defined.catalogue.audiences.len(), 19_994);
    });
    timed("one draft among them", &mut || {
        let put = place.ask("PUT", "/api/v1/audiences/acme/a7", "", "kind: target\nrule: plan = gold\n");
        assert_eq!(put.status, 200, "{put:?}");
    });
    let more = "audiences:\n".to_owned()
        + &(0..7).map(|n| format!("- {{ id: z{n}, owner: acme, kind: target, rule: everyone }}\n")).collect::<String>();
    let refused = place.post("/api/v1/definitions?publish=true", &more);
    assert_eq!((refused.status, crate::place::codes(&refused)), (400, vec!["too-many".to_owned()]), "{refused:?}");
}
