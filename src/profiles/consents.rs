//! Consents and objections: the newest of consent and refusal counts; an objection stays.

use super::NOBODY;
use super::graph::Node;
use super::people::People;
use crate::schema::ProfileKey;
use crate::snapshot::consents::{OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING, REFUSED};

/// What somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// Objects to marketing, to profiling, or both.
    Objects {
        /// Never speak to me.
        marketing: bool,
        /// Use no profile of me.
        profiling: bool,
    },
    /// Consents to profiling.
    Consents,
    /// Refuses it.
    Refuses,
}

/// Consent rows.
#[derive(Debug, Default)]
pub struct Consents {
    rows: Vec<(u32, i64, u8)>,
    /// (identifier, scope) of every objection.
    objecting: Vec<(u32, u8)>,
}

/// Whom not to speak to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledConsents {
    /// One byte of flags an ordinal.
    pub flags: Vec<u8>,
    /// Every identifier that an objection names, or that is joined with one and has no profile, by ascending key: (key, type, scope, whether it has a profile).
    pub objecting: Vec<Objecting>,
}

/// An identifier that an objection names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objecting {
    /// The identifier.
    pub key: ProfileKey,
    /// Its type.
    pub id_type: u16,
    /// [`OBJECTS_TO_MARKETING`], [`OBJECTS_TO_PROFILING`] or both.
    pub scope: u8,
    /// Whether it belongs to a profile, whose flags say the same.
    pub has_profile: bool,
}

impl Consents {
    /// Adds a row: `ids` are the identifiers it names, `node` the whole of them.
    pub fn push(&mut self, node: Node, ids: &[u32], time: i64, saying: Saying) {
        let flags = match saying {
            Saying::Objects { marketing, profiling } => {
                (u8::from(marketing) * OBJECTS_TO_MARKETING) | (u8::from(profiling) * OBJECTS_TO_PROFILING)
            }
            Saying::Refuses => REFUSED,
            Saying::Consents => 0,
        };
        if let Saying::Objects { .. } = saying {
            self.objecting.extend(ids.iter().map(|&id| (id, flags)));
        }
        self.rows.push((node.raw(), time, flags));
    }

    /// Adds an objection of one identifier, by its number.
    pub fn object(&mut self, id: u32, marketing: bool, profiling: bool) {
        self.push(Node::one(id), &[id], 0, Saying::Objects { marketing, profiling });
    }

    /// Settles what counts.
    pub fn settle(self, people: &People) -> SettledConsents {
        let mut flags = vec![0u8; people.len() as usize];
        let mut newest: Vec<(u32, i64, u8)> = Vec::new();
        for (node, time, said) in self.rows {
            let who = people.ordinal(Node::from_raw(node));
            if who == NOBODY {
                continue;
            }
            match said {
                0 | REFUSED => newest.push((who, time, said)),
                objection => flags[who as usize] |= objection,
            }
        }
        // The last of each profile counts: the newest, and of several at once the refusal.
        newest.sort_unstable();
        for group in newest.chunk_by(|a, b| a.0 == b.0) {
            if let Some(&(who, _, said)) = group.last() {
                flags[who as usize] |= said;
            }
        }
        SettledConsents { flags, objecting: objecting(&self.objecting, people) }
    }
}

fn objecting(rows: &[(u32, u8)], people: &People) -> Vec<Objecting> {
    // Whoever an objecting stranger was seen with is the same stranger.
    let joined = rows.iter().flat_map(|&(id, scope)| people.strangers_with(id).map(move |other| (other, scope)));
    let mut all: Vec<Objecting> = rows
        .iter()
        .copied()
        .chain(joined)
        .map(|(id, scope)| {
            let (key, id_type, who) = people.identifier(id);
            Objecting { key, id_type, scope, has_profile: who != NOBODY }
        })
        .collect();
    all.sort_unstable_by_key(|one| one.key);
    all.dedup_by(|later, kept| {
        let same = later.key == kept.key;
        if same {
            kept.scope |= later.scope;
        }
        same
    });
    all
}
