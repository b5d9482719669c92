//! The manifest: what a generation is made of. JSON, so that people and other programs can read it.
//!
//! The last field, `checksum`, is the xxh3-128 of every byte before it: a manifest is verified like a section.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{AudienceId, Generation, Offset, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_128;

/// The format that this program writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// The longest manifest that is read, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 64 << 20;

const CHECKSUM_FIELD: &str = ",\n  \"checksum\": \"";

/// Who reads a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plane {
    /// Answering bids.
    Bid,
    /// Building, reach, explain.
    Control,
}

/// Which sections to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planes {
    /// Those of the bid plane.
    Bid,
    /// Every one.
    All,
}

impl Planes {
    /// Whether sections of `plane` are meant.
    pub fn include(self, plane: Plane) -> bool {
        self == Planes::All || plane == Plane::Bid
    }
}

/// A section as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRef {
    /// What it holds: `identities`, `forward`, ...
    pub name: String,
    /// Who reads it.
    pub plane: Plane,
    /// Its bytes.
    pub length: u64,
    /// xxh3-128 of its bytes in 32 hexadecimal digits: its file's name in `sections/`.
    pub xxh3: String,
}

/// An audience of this generation in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudienceSummary {
    /// `owner/id`.
    pub id: AudienceId,
    /// `target` or `suppress`.
    pub kind: String,
    /// Profiles in it at `as_of`.
    pub members: u64,
    /// Why it must be looked at (such as a stale source), if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged: Option<String>,
    /// Whether its time had not come or was over when it was evaluated: nobody is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

impl AudienceSummary {
    /// Whether nobody is in it because what it rests on is too old. Others that refer to it see it as it was.
    pub fn is_dropped(&self) -> bool {
        self.kind == "target" && self.flagged.is_some() && !self.closed
    }
}

/// Everything a generation is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version of the manifest and of every section it names.
    pub format: u32,
    /// Its number.
    pub generation: Generation,
    /// When it was built.
    pub created: Timestamp,
    /// When all of its rules were evaluated, which a fresh generation has from the one before it; 0 = when it was built.
    #[serde(default)]
    pub activated: Timestamp,
    /// Whether it was published over another, without evaluating every rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// The minute its answers are right at (and from then on, by its flips).
    pub as_of: Timestamp,
    /// Whether the configuration freezes the clock at `as_of`.
    pub frozen: bool,
    /// The time zone of dates and of `today`.
    pub timezone: String,
    /// The fingerprint of the secret its ProfileKeys were made with.
    pub key_fingerprint: String,
    /// Profiles.
    pub profiles: u32,
    /// Identifiers in the identity index.
    pub bid_ids: u64,
    /// Identifier types, sorted: a key's `id_type` is its position here.
    pub id_types: Vec<String>,
    /// Identifier types by precedence at bid time.
    pub precedence: Vec<String>,
    /// What was collected, a report a source.
    pub sources: Vec<serde_json::Value>,
    /// The generation whose index (identities and columns) it shares; its own number after a full build.
    pub index_of: Generation,
    /// When that index was built, whether or not its generation is still there; 0 = not known.
    #[serde(default)]
    pub index_created: Timestamp,
    /// The place in the `events` log up to which its index has taken everything in; what follows is applied live.
    #[serde(default)]
    pub events_cut: Offset,
    /// The place in the `control` log up to which objections and deletions are in its index.
    #[serde(default)]
    pub control_cut: Offset,
    /// A digest of the definitions it was built from.
    pub catalogue_version: String,
    /// Its audiences, by number.
    pub audiences: Vec<AudienceSummary>,
    /// Seconds by phase.
    pub timings: BTreeMap<String, f64>,
    /// The most anonymous memory that building it took, in bytes.
    #[serde(default)]
    pub peak_memory_bytes: u64,
    /// Its sections.
    pub sections: Vec<SectionRef>,
}

impl Default for Manifest {
    fn default() -> Self {
        Manifest {
            format: FORMAT,
            generation: Generation(0),
            created: Timestamp(0),
            activated: Timestamp(0),
            fresh: false,
            as_of: Timestamp(0),
            frozen: false,
            timezone: "UTC".to_owned(),
            key_fingerprint: String::new(),
            profiles: 0,
            bid_ids: 0,
            id_types: Vec::new(),
            precedence: Vec::new(),
            sources: Vec::new(),
            index_of: Generation(0),
            index_created: Timestamp(0),
            events_cut: Offset(0),
            control_cut: Offset(0),
            catalogue_version: String::new(),
            audiences: Vec::new(),
            timings: BTreeMap::new(),
            peak_memory_bytes: 0,
            sections: Vec::new(),
        }
    }
}

/// What is read first, whatever the format: enough to refuse politely, and to know which sections are still wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Outline {
    pub(super) format: Option<u32>,
    #[serde(default)]
    pub(super) sections: Vec<OutlineSection>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OutlineSection {
    pub(super) xxh3: String,
}

impl Manifest {
    /// When all of its rules were evaluated: publishing a few of them in between does not put off the others.
    pub fn activated(&self) -> Timestamp {
        if self.activated == Timestamp(0) { self.created } else { self.activated }
    }

    /// The section of that name.
    pub fn section(&self, name: &str) -> Option<&SectionRef> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Bytes of the sections of these planes.
    pub fn bytes(&self, planes: Planes) -> u64 {
        self.sections.iter().filter(|section| planes.include(section.plane)).map(|section| section.length).sum()
    }

    /// The file's text: JSON with the checksum as its last field.
    pub(super) fn to_file(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| {
            Error::internal(format!("the manifest of generation {} cannot be written as JSON", self.generation))
                .caused_by(error)
        })?;
        text.truncate(text.len() - "\n}".len());
        let checksum = xxh3_128(&text);
        text.extend_from_slice(format!("{CHECKSUM_FIELD}{checksum:032x}\"\n}}\n").as_bytes());
        if text.len() as u64 > MAX_MANIFEST_BYTES {
            let message = format!(
                "the manifest of generation {} would be {} bytes, more than the {MAX_MANIFEST_BYTES} that can be read back; define fewer audiences or sources",
                self.generation,
                text.len()
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(text)
    }

    /// Reads a manifest's file. `place` names it in errors.
    pub(super) fn from_file(text: &[u8], place: &str) -> Result<Manifest> {
        let damaged = |what: &str| {
            Error::snapshot(format!(
                "{place} is damaged: {what}; go back to another generation with `vaglio rollback`, or rebuild with `vaglio build`"
            ))
        };
        let outline: Outline =
            serde_json::from_slice(text).map_err(|error| damaged("it is not JSON").caused_by(error))?;
        match outline.format {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(Error::snapshot(format!(
                    "{place} was built by another version of vaglio: format {other}, this program reads {FORMAT}; rebuild with `vaglio build`"
                )));
            }
            None => return Err(damaged("it has no `format`")),
        }
        let (body, checksum) = split_checksum(text).ok_or_else(|| damaged("it has no checksum"))?;
        if format!("{:032x}", xxh3_128(body)).as_bytes() != checksum {
            return Err(damaged("its checksum does not match its contents"));
        }
        serde_json::from_slice(text).map_err(|error| damaged("a field is missing or wrong").caused_by(error))
    }
}

/// The bytes that the checksum covers, and the checksum.
fn split_checksum(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let tail = CHECKSUM_FIELD.len() + 32 + "\"\n}\n".len();
    let (body, tail) = text.split_at_checked(text.len().checked_sub(tail)?)?;
    let checksum = tail.strip_prefix(CHECKSUM_FIELD.as_bytes())?.strip_suffix(b"\"\n}\n")?;
    Some((body, checksum))
}
