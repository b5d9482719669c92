//! The planner's console in a real browser (`console/e2e`), against the real program over the demo's invented operator.
//!
//! Where the console is not built, or Node or Chromium is missing, the test says so and passes; `VAGLIO_REQUIRE_CONSOLE=1`
//! makes that a failure. `VAGLIO_CONSOLE_TESTS` narrows it to what `playwright test` takes, such as `story.spec.ts`.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod playwright;
mod worlds;

use playwright::Browser;
use std::io::Write;
use worlds::World;

#[test]
fn a_planner_in_a_browser() {
    let directory = tempfile::tempdir().unwrap();
    let ready = Browser::find().and_then(|browser| {
        let telco = World::telco(&directory.path().join("telco"));
        telco.has_a_console().then_some((browser, telco)).ok_or_else(|| "the program was built without it".to_owned())
    });
    let (browser, telco) = match ready {
        Ok(ready) => ready,
        Err(why) => {
            assert!(std::env::var_os("VAGLIO_REQUIRE_CONSOLE").is_none(), "{why}");
            // Past libtest's capture, so that a skipped test is seen.
            let _ = writeln!(std::io::stderr(), "skipped: the console in a browser ({why})");
            return;
        }
    };
    let empty = World::empty(&directory.path().join("empty"));
    let passed = browser.run(&[
        ("PLANNER", &format!("http://{}", telco.planner)),
        ("BIDS", &format!("http://{}", telco.http)),
        ("KEY", &telco.key),
        ("WORLD", telco.directory.to_str().unwrap()),
        ("EMPTY", &format!("http://{}", empty.planner)),
        ("EMPTY_KEY", &empty.key),
    ]);
    assert!(passed, "what Playwright says is above; its traces are in console/test-results");
}
