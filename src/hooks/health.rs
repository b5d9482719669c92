//! What the probes say. Alive: the process answers. Ready: a generation is loaded, and the server is not going away.
//!
//! A failed build or a refused generation does not make a server unready that has a good one: the reason stands in the
//! body, for people on the server's own machine. It may name files and owners' definitions, which are not the network's.

use super::live::Live;
use crate::schema::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

/// Where it is asked whether the process answers.
pub const LIVE: &str = "/health/live";
/// Where it is asked whether questions are answered.
pub const READY: &str = "/health/ready";
/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The state behind the probes.
#[derive(Debug)]
pub struct Health {
    troubles: Mutex<Troubles>,
    ready: watch::Sender<Readiness>,
}

/// Whether questions are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// No generation yet.
    Waiting,
    /// Yes.
    Ready,
    /// The server is going away: no new connections.
    Draining,
}

#[derive(Debug, Default)]
struct Troubles {
    build: Option<String>,
    generation: Option<String>,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ready<'a> {
    status: &'a str,
    ready: bool,
    version: &'a str,
    generation: Option<u64>,
    as_of: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Health { troubles: Mutex::default(), ready: watch::Sender::new(Readiness::Waiting) }
    }
}

impl Health {
    /// A generation is in service.
    pub fn serving(&self) {
        self.ready.send_if_modified(|state| {
            let waiting = *state == Readiness::Waiting;
            if waiting {
                *state = Readiness::Ready;
            }
            waiting
        });
    }

    /// The server is going away.
    pub fn draining(&self) {
        self.ready.send_replace(Readiness::Draining);
    }

    /// How the last child build ended: `Some(why)` when it failed.
    pub fn built(&self, failure: Option<String>) {
        self.troubles.lock().build = failure;
    }

    /// How the last new generation was received: `Some(why)` when it was refused.
    pub fn received(&self, refusal: Option<String>) {
        self.troubles.lock().generation = refusal;
    }

    /// What somebody should know who did not ask for it: nothing failed.
    pub fn noted(&self, note: Option<String>) {
        self.troubles.lock().note = note;
    }

    /// For whoever wants to know when it changes.
    pub fn watch(&self) -> watch::Receiver<Readiness> {
        self.ready.subscribe()
    }

    /// Whether questions are answered.
    pub fn readiness(&self) -> Readiness {
        *self.ready.borrow()
    }

    /// `/health/ready`: whether it is, and the body. `trusted`: who asks may read why something failed.
    pub fn ready_json(&self, live: &Live, trusted: bool) -> (bool, Vec<u8>) {
        let readiness = self.readiness();
        let status = match readiness {
            Readiness::Waiting => "not_ready",
            Readiness::Ready => "ok",
            Readiness::Draining => "draining",
        };
        let served = live.load();
        let served = served.served.as_ref();
        let ready = readiness == Readiness::Ready;
        let body = Ready {
            status,
            ready,
            version: VERSION,
            generation: served.map(|served| served.generation().0),
            as_of: served.map(|served| served.as_of()),
            reason: self.reason(readiness, trusted),
        };
        (ready, serde_json::to_vec(&body).unwrap_or_default())
    }

    fn reason(&self, readiness: Readiness, trusted: bool) -> Option<String> {
        let troubles = self.troubles.lock();
        let waiting = match readiness {
            Readiness::Waiting => Some("no generation is loaded yet".to_owned()),
            Readiness::Ready => None,
            Readiness::Draining => Some("the server is going away".to_owned()),
        };
        let told = |what: &str, why: &String| {
            let why = if trusted { why } else { "the server's log says why" };
            format!("{what}: {why}")
        };
        let build = troubles.build.as_ref().map(|why| told("the last build failed", why));
        let refused = troubles.generation.as_ref().map(|why| told("a generation was refused", why));
        let reasons: Vec<String> = [waiting, refused, build, troubles.note.clone()].into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// `/health/live`: whoever can answer is alive.
pub fn live_json(ready: bool) -> Vec<u8> {
    format!("{{\"status\":\"ok\",\"ready\":{ready},\"version\":\"{VERSION}\"}}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::config::Config;

    #[test]
    fn readiness_waits_serves_and_drains() {
        let (health, live) = (Health::default(), Live::new(Access::new(&Config::default())));
        let says = |wanted: &str| {
            let (ready, body) = health.ready_json(&live, true);
            let body = String::from_utf8(body).unwrap();
            assert!(body.contains(wanted), "{body}");
            ready
        };
        assert!(!says("no generation is loaded yet"));
        health.serving();
        assert!(says("\"status\":\"ok\""));
        health.built(Some("disk full".to_owned()));
        health.received(Some("checksum".to_owned()));
        assert!(says("a generation was refused: checksum; the last build failed: disk full"));
        let from_elsewhere = String::from_utf8(health.ready_json(&live, false).1).unwrap();
        assert!(from_elsewhere.contains("the last build failed: the server's log says why"), "{from_elsewhere}");
        assert!(!from_elsewhere.contains("disk full") && !from_elsewhere.contains("checksum"), "{from_elsewhere}");
        health.draining();
        health.serving();
        assert!(!says("\"status\":\"draining\""), "a server that goes away does not come back");
    }
}
