//! JSON of the kind that parsers disagree about: `tests/cases/nasty-json/`.

use super::agree;
use std::fs;
use std::path::Path;

#[test]
fn nasty_json_is_accepted_or_refused_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/nasty-json");
    let mut seen = [0, 0];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let accepted = agree::on(&fs::read(&path).unwrap());
        assert!(name.starts_with(if accepted { "accept-" } else { "refuse-" }), "{name}: accepted {accepted}");
        seen[usize::from(accepted)] += 1;
    }
    assert!(seen.iter().all(|seen| *seen > 20), "{seen:?}");
}
