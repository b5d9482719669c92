//! The JSON bodies of `POST /v1/lookup` and `POST /v1/decide`.

use crate::load::users::{Draws, Person, Whom, write_uid};
use crate::load::workload::Request;

/// The pieces.
#[derive(Debug)]
pub struct Own {
    people: Vec<(Box<str>, Box<str>)>,
    sources: Vec<String>,
    campaigns: Vec<String>,
}

fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl Own {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], request: &Request) -> Own {
        let eids = |person: &Person| {
            let eids = person.eids.iter();
            let eids: Vec<String> =
                eids.map(|eid| format!("{{\"source\":{},\"uid\":{}}}", text(&eid.source), text(&eid.uid))).collect();
            eids.join(",").into()
        };
        let rest = |person: &Person| {
            let ifa = if person.ifa.is_empty() { String::new() } else { format!(",\"ifa\":{}", text(&person.ifa)) };
            ifa.into()
        };
        Own {
            people: people.iter().map(|person| (eids(person), rest(person))).collect(),
            sources: sources.iter().map(|source| text(source)).collect(),
            campaigns: request.campaign_ids.iter().map(|id| text(id)).collect(),
        }
    }

    /// Writes a body.
    pub fn write(&self, decide: bool, whom: Whom, n: u64, request: &Request, draws: &mut Draws, into: &mut Vec<u8>) {
        let own = whom.line.and_then(|line| self.people.get(line as usize));
        into.extend_from_slice(b"{\"eids\":[");
        into.extend_from_slice(own.map_or(b"", |(eids, _)| eids.as_bytes()));
        for _ in 0..whom.made_up {
            if into.last() != Some(&b'[') {
                into.push(b',');
            }
            let source = &self.sources[draws.below(self.sources.len())];
            into.extend_from_slice(b"{\"source\":");
            into.extend_from_slice(source.as_bytes());
            into.extend_from_slice(b",\"uid\":\"");
            write_uid(source, draws, into);
            into.extend_from_slice(b"\"}");
        }
        into.push(b']');
        into.extend_from_slice(own.map_or(b"", |(_, rest)| rest.as_bytes()));
        if decide && request.campaigns > 0 && !self.campaigns.is_empty() {
            for at in 0..request.campaigns {
                into.extend_from_slice(if at == 0 { b",\"campaigns\":[" } else { b"," });
                let campaign = (n as usize).wrapping_mul(request.campaigns).wrapping_add(at) % self.campaigns.len();
                into.extend_from_slice(self.campaigns[campaign].as_bytes());
            }
            into.push(b']');
        }
        into.extend_from_slice(format!(",\"tmax_ms\":{}}}", request.tmax_ms).as_bytes());
    }
}
