//! The JSON bodies: `POST /v1/lookup` and `POST /v1/decide`, and the lines of `POST /api/v1/events`.

use super::Asked;
use super::sheet::Sheet;
use crate::load::users::{IFA, Person, Privacy, Shape, write_uid};
use crate::load::workload::Request;
use crate::schema::Timestamp;

/// A text as JSON has it.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// `"key":value` of signals, joined by commas; those that nothing is said of are left out.
fn privacy(privacy: &Privacy) -> String {
    let flag = |name: &str, flag: Option<bool>| flag.map(|set| format!("\"{name}\":{}", u8::from(set)));
    let text = |name: &str, said: &str| (!said.is_empty()).then(|| format!("\"{name}\":{}", quoted(said)));
    let sections = (!privacy.gpp_sid.is_empty())
        .then(|| format!("\"gpp_sid\":{}", serde_json::to_string(&privacy.gpp_sid).unwrap_or_default()));
    let fields = [
        flag("gdpr", privacy.gdpr),
        text("tcf", &privacy.tcf),
        text("gpp", &privacy.gpp),
        sections,
        text("us_privacy", &privacy.us_privacy),
        flag("gpc", privacy.gpc),
        flag("coppa", privacy.coppa),
        flag("lmt", privacy.lmt),
        text("country", &privacy.country),
    ];
    fields.into_iter().flatten().collect::<Vec<_>>().join(",")
}

/// The pieces of our own JSON doors.
#[derive(Debug)]
pub struct Json {
    people: Sheet,
    sources: Vec<(String, Shape)>,
    campaigns: Vec<String>,
    /// What follows the campaigns.
    end: String,
}

const EIDS: usize = 0;
const REST: usize = 1;

impl Json {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], request: &Request) -> Self {
        let mut sheet = Sheet::new(2);
        for person in people {
            let eids = person.eids.iter();
            let eids: Vec<String> = eids
                .map(|eid| format!("{{\"source\":{},\"uid\":{}}}", quoted(&eid.source), quoted(&eid.uid)))
                .collect();
            sheet.push(eids.join(",").as_bytes());
            let mut rest = String::new();
            if !person.ifa.is_empty() {
                rest += &format!(",\"ifa\":{}", quoted(&person.ifa));
            }
            if let Some(said) = &person.privacy {
                rest += &format!(",\"privacy\":{{{}}}", privacy(said));
            }
            sheet.push(rest.as_bytes());
        }
        let end = if request.tmax_ms == 0 { "}".to_owned() } else { format!(",\"tmax_ms\":{}}}", request.tmax_ms) };
        Json {
            people: sheet,
            sources: sources.iter().map(|source| (quoted(source), Shape::of(source))).collect(),
            campaigns: request.campaign_ids.iter().map(|id| quoted(id)).collect(),
            end,
        }
    }

    /// Writes a body, with so many campaigns.
    pub fn write(&self, asked: &mut Asked<'_>, campaigns: usize, into: &mut Vec<u8>) {
        into.extend_from_slice(b"{\"eids\":[");
        into.extend_from_slice(self.people.get(asked.whom.line, EIDS));
        made_up(&self.sources, asked, into);
        into.push(b']');
        into.extend_from_slice(self.people.get(asked.whom.line, REST));
        for at in 0..campaigns.min(self.campaigns.len()) {
            into.extend_from_slice(if at == 0 { b",\"campaigns\":[" } else { b"," });
            into.extend_from_slice(self.campaigns[asked.campaign(campaigns, at, self.campaigns.len())].as_bytes());
        }
        if campaigns > 0 && !self.campaigns.is_empty() {
            into.push(b']');
        }
        into.extend_from_slice(self.end.as_bytes());
    }
}

/// Adds the identifiers that are made up to a list of which some may be written.
fn made_up(sources: &[(String, Shape)], asked: &mut Asked<'_>, into: &mut Vec<u8>) {
    for _ in 0..asked.whom.made_up {
        let (source, shape) = &sources[asked.draws.below(sources.len())];
        into.extend_from_slice(if into.last() == Some(&b'[') { b"{\"source\":" } else { b",{\"source\":" });
        into.extend_from_slice(source.as_bytes());
        into.extend_from_slice(b",\"uid\":\"");
        write_uid(*shape, asked.draws, into);
        into.extend_from_slice(b"\"}");
    }
}

/// The pieces of the lines of events.
#[derive(Debug)]
pub struct Events {
    people: Sheet,
    sources: Vec<(String, Shape)>,
    /// What stands behind the identifiers.
    end: String,
    /// What tells this run's events from those of all others.
    run: u64,
}

impl Events {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], request: &Request) -> Self {
        let mut sheet = Sheet::new(1);
        for person in people {
            let ifa = (!person.ifa.is_empty()).then_some((IFA, person.ifa.as_str()));
            let eids = person.eids.iter().map(|eid| (eid.source.as_str(), eid.uid.as_str())).chain(ifa);
            let eids: Vec<String> = eids
                .map(|(source, uid)| format!("{{\"source\":{},\"uid\":{}}}", quoted(source), quoted(uid)))
                .collect();
            sheet.push(eids.join(",").as_bytes());
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Events {
            people: sheet,
            sources: sources.iter().map(|source| (quoted(source), Shape::of(source))).collect(),
            end: format!("],\"type\":\"event\",\"name\":{}}}\n", quoted(&request.event)),
            run: now.map_or(0, |now| now.as_nanos() as u64) ^ u64::from(std::process::id()) << 40,
        }
    }

    /// Writes a line. Its id has never been used before, and its time is now: what else the line says is a function of the
    /// question's number.
    pub fn write(&self, asked: &mut Asked<'_>, item: u32, into: &mut Vec<u8>) {
        if self.people.get(asked.whom.line, 0).is_empty() {
            // An event is about somebody.
            asked.whom.made_up = asked.whom.made_up.max(1);
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = Timestamp(now.map_or(0, |now| now.as_secs() as i64));
        let line = format!("{{\"id\":\"load-{:x}-{:x}-{item:x}\",\"time\":\"{now}\",\"eids\":[", self.run, asked.n);
        into.extend_from_slice(line.as_bytes());
        into.extend_from_slice(self.people.get(asked.whom.line, 0));
        made_up(&self.sources, asked, into);
        into.extend_from_slice(self.end.as_bytes());
    }
}
