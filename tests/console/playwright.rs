//! Playwright: what it needs, and one run of it that cannot go on for ever.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Above Playwright's own limit (`playwright.config.ts`), for the case that it hangs itself.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// A built console, Node, and a Chromium.
pub struct Browser {
    console: PathBuf,
}

impl Browser {
    /// # Errors
    /// What is missing, in a line that says what to do.
    pub fn find() -> Result<Browser, String> {
        let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("console");
        if !console.join("dist/index.html").exists() || !console.join("node_modules/.bin/playwright").exists() {
            return Err("it is not built: `make console`, which needs node and npm".to_owned());
        }
        if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Err("there is no node".to_owned());
        }
        let installed = Command::new(console.join("e2e/install.sh")).arg("install").stdin(Stdio::null()).output();
        match installed {
            Ok(output) if output.status.success() => Ok(Browser { console }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Runs every test of `console/e2e` with these in the environment (after `VAGLIO_E2E_`); whether all passed.
    pub fn run(&self, environment: &[(&str, &str)]) -> bool {
        let mut command = Command::new(self.console.join("node_modules/.bin/playwright"));
        command.arg("test").current_dir(&self.console).stdin(Stdio::null());
        if let Some(some) = std::env::var_os("VAGLIO_CONSOLE_TESTS") {
            command.arg(some);
        }
        // This library's capture would hold back what is said; a group of its own takes the browsers along when killed.
        command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").env("FORCE_COLOR", "0").process_group(0);
        command.envs(environment.iter().map(|(name, value)| (format!("VAGLIO_E2E_{name}"), value)));
        Group(command.spawn().unwrap()).passes_within(LIMIT)
    }
}

/// A process and all that it starts.
struct Group(Child);

impl Group {
    fn passes_within(mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < until, "the browser tests take longer than {limit:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Group {
    /// Asks first: Playwright then ends its browsers, which are in groups of their own.
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        let signal = |signal| {
            // Gone already is as good.
            let _ = rustix::process::kill_process_group(group, signal);
        };
        signal(rustix::process::Signal::TERM);
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        signal(rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}
