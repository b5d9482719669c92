//! The load generator: asks a server at its bid doors at a given rate of arrival, and says what came back, how soon, and
//! whether it was right. It is a client: it knows the doors by the wire alone, and nothing of what a server is made of.
//!
//! *Open loop*: when a request is sent depends on the schedule, never on the answers. A latency counts from the instant at
//! which the request was *meant* to be sent, so that a server which stalls is not excused from the requests that it kept
//! from being sent (no coordinated omission).
//!
//! Contents: [`workload`] the YAML file, [`reading`] reads it; [`measured`] what a run found, also as JSON. From here on downwards a run:
//! `schedule` when requests are due; `users` whom they are about; `requests` what they say; `doors` sends them; `run` drives it
//! all; `record` what became of each; `search` which rate to try next; `process` what the server used meanwhile; `truth` what
//! a right answer is; `goals` what is passed or failed; `report` table, HTML.
//! `machine` is beside it: what no measurement here can be better than.
//!
//! What must not live here: a server, its configuration, a snapshot, a definition.

pub mod doors;
pub mod goals;
pub mod machine;
pub mod measured;
pub mod process;
pub mod reading;
pub mod record;
pub mod report;
pub mod requests;
pub mod run;
pub mod schedule;
pub mod search;
pub mod truth;
pub mod users;
pub mod workload;
