//! Bid requests in JSON: a template's pieces, and between them whom this one is about.

use super::Asked;
use super::json::quoted;
use super::sheet::Sheet;
use super::template::Template;
use crate::load::users::{Person, Privacy, Shape, write_uid};
use crate::load::workload::Request;

/// The pieces.
#[derive(Debug)]
pub struct OpenRtb {
    people: Sheet,
    sources: Vec<(String, Shape)>,
    /// The head with `tmax` before it, and the user.
    templates: Vec<(String, String)>,
}

const EIDS: usize = 0;
const CONSENT: usize = 1;
const COUNTRY: usize = 2;
const DEVICE: usize = 3;
const REGS: usize = 4;

impl OpenRtb {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], templates: &[Template], request: &Request) -> Self {
        let mut sheet = Sheet::new(5);
        for person in people {
            let eids = person.eids.iter().map(|eid| {
                let (source, uid) = (quoted(&eid.source), quoted(&eid.uid));
                format!("{{\"source\":{source},\"uids\":[{{\"id\":{uid},\"atype\":3}}]}}")
            });
            sheet.push(eids.collect::<Vec<_>>().join(",").as_bytes());
            let said = person.privacy.clone().unwrap_or_default();
            let text = |before: &str, said: &str, after: &str| {
                if said.is_empty() { String::new() } else { format!("{before}{}{after}", quoted(said)) }
            };
            sheet.push(text(",\"consent\":", &said.tcf, "").as_bytes());
            sheet.push(text("\"country\":", &said.country, ",").as_bytes());
            let lmt = said.lmt.map(|set| format!(",\"lmt\":{}", u8::from(set))).unwrap_or_default();
            sheet.push((text(",\"ifa\":", &person.ifa, "") + &lmt).as_bytes());
            sheet.push(regs(&said).as_bytes());
        }
        let tmax = if request.tmax_ms == 0 { String::new() } else { format!("\"tmax\":{},", request.tmax_ms) };
        OpenRtb {
            people: sheet,
            sources: sources.iter().map(|source| (quoted(source), Shape::of(source))).collect(),
            templates: templates.iter().map(|it| (format!("\",{tmax}{}", it.head), it.user.clone())).collect(),
        }
    }

    /// Writes a bid request.
    pub fn write(&self, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
        let (head, user) = &self.templates[(asked.n % self.templates.len() as u64) as usize];
        let part = |part| self.people.get(asked.whom.line, part);
        into.extend_from_slice(b"{\"id\":\"");
        hex(asked.draws.bits(), into);
        hex(asked.draws.bits(), into);
        into.extend_from_slice(head.as_bytes());
        into.extend_from_slice(part(COUNTRY));
        into.extend_from_slice(b"\"type\":2}");
        into.extend_from_slice(part(DEVICE));
        into.extend_from_slice(b"},\"user\":{");
        into.extend_from_slice(user.as_bytes());
        into.extend_from_slice(b"\"id\":\"");
        hex(asked.draws.bits(), into);
        into.extend_from_slice(b"\",\"buyeruid\":\"");
        hex(asked.draws.bits(), into);
        into.extend_from_slice(b"\",\"eids\":[");
        into.extend_from_slice(part(EIDS));
        for _ in 0..asked.whom.made_up {
            let (source, shape) = &self.sources[asked.draws.below(self.sources.len())];
            into.extend_from_slice(if into.last() == Some(&b'[') { b"{\"source\":" } else { b",{\"source\":" });
            into.extend_from_slice(source.as_bytes());
            into.extend_from_slice(b",\"uids\":[{\"id\":\"");
            write_uid(*shape, asked.draws, into);
            into.extend_from_slice(b"\",\"atype\":3}]}");
        }
        into.push(b']');
        into.extend_from_slice(part(CONSENT));
        into.push(b'}');
        into.extend_from_slice(part(REGS));
        into.push(b'}');
    }
}

/// Sixteen digits.
pub fn hex(bits: u64, into: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    into.extend((0..16).map(|at| HEX[(bits >> (4 * at) & 15) as usize]));
}

/// `,"regs":{...}`, or nothing where nothing is said.
fn regs(said: &Privacy) -> String {
    let flag = |name: &str, flag: Option<bool>| flag.map(|set| format!("\"{name}\":{}", u8::from(set)));
    let text = |name: &str, said: &str| (!said.is_empty()).then(|| format!("\"{name}\":{}", quoted(said)));
    let sections = (!said.gpp_sid.is_empty())
        .then(|| format!("\"gpp_sid\":{}", serde_json::to_string(&said.gpp_sid).unwrap_or_default()));
    let fields = [
        flag("coppa", said.coppa),
        flag("gdpr", said.gdpr),
        text("us_privacy", &said.us_privacy),
        text("gpp", &said.gpp),
        sections,
        said.gpc.map(|set| format!("\"ext\":{{\"gpc\":\"{}\"}}", u8::from(set))),
    ];
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    if fields.is_empty() { String::new() } else { format!(",\"regs\":{{{}}}", fields.join(",")) }
}
