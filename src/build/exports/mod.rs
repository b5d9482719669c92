//! Exports: the identifiers of an audience's members, out of the configured sources again, to files elsewhere. Nothing of ours
//! holds a raw identifier, so each row is read once more, hashed as it was, and written where its key belongs to a member.
//!
//! Contents: [`who`] may be exported, [`wanted`] their keys; [`reading`] of the sources and what becomes of each identifier;
//! [`shape`] the text that a format writes of it, [`rows`] and `parquet` the files, [`suppression`] lists for the edge, [`bitmap`]s;
//! [`sent`] what was exported before; [`place`]s that files go to (`objects`: stores). What must not live here: HTTP, and who
//! may ask.

mod bitmap;
#[cfg(feature = "lake")]
mod objects;
#[cfg(feature = "lake")]
mod parquet;
mod place;
mod reading;
mod rows;
mod sent;
mod shape;
mod suppression;
mod wanted;
mod who;

use crate::audiences::{Audience, AudienceKind};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::schema::{Clock, KeyHasher, Timestamp};
use crate::telemetry::progress::{Progress, Unit};
use clap::ValueEnum;
pub use place::{Place, Written};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use utoipa::ToSchema;
pub use who::Withheld;

/// The days after which a suppression list may not be used any more, unless asked otherwise; and the most.
pub const EXPIRES_DAYS: (u32, u32) = (7, 90);

/// The shape of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CSV: type, identifier.
    Csv,
    /// A JSON object a line: type, identifier.
    Ndjson,
    /// Parquet: type, identifier.
    Parquet,
    /// Meta Custom Audiences: email, phone (SHA-256), madid.
    Meta,
    /// Google Customer Match: contacts (Email, Phone as SHA-256) and devices.
    Google,
    /// TikTok customer file: all three as SHA-256.
    Tiktok,
    /// A portable roaring bitmap, its ordinals' keys, a description.
    Roaring,
    /// A salted suppression list for the edge.
    Suppression,
}

impl Format {
    /// What the names of its files end with.
    fn extension(self) -> &'static str {
        match self {
            Format::Csv => ".csv",
            Format::Ndjson => ".ndjson",
            Format::Parquet => ".parquet",
            Format::Meta => "-meta.csv",
            Format::Google => "-google.csv",
            Format::Tiktok => "-tiktok.csv",
            Format::Roaring => ".roaring",
            Format::Suppression => ".suppression",
        }
    }

    /// The name in requests.
    pub fn name(self) -> &'static str {
        self.extension().trim_start_matches(['.', '-']).trim_end_matches(".csv")
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The shape.
    pub format: Format,
    /// Only what changed since the last export of the same audience, format and types to the same place.
    pub delta: bool,
    /// The identifier types, in lower case; none = all.
    pub ids: Vec<String>,
    /// Suppress audiences: members who object stay in it, and everybody else who objects to marketing comes in.
    pub include_objectors: bool,
    /// After how many days a suppression list may not be used any more.
    pub expires_days: u32,
}

/// What an export is made from.
pub struct Inputs<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// The installation's secret.
    pub hasher: &'a KeyHasher,
    /// The generation, opened with every section.
    pub serving: &'a ServingSnapshot,
    /// The audience.
    pub audience: &'a Audience,
    /// Who is in it, as of the generation.
    pub members: &'a RoaringBitmap,
    /// What is asked for.
    pub ask: &'a Ask,
    /// Where to.
    pub place: &'a Place,
    /// Which receiver that is, for the next delta: a destination's name, or the place's own ([`Place::name`]).
    pub receiver: &'a str,
    /// Breaks it off.
    pub watch: &'a Watch,
    /// What the user sees.
    pub progress: &'a Progress,
}

/// What became of an export.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Report {
    /// The generation.
    pub generation: u64,
    /// The minute that its members are of.
    pub as_of: String,
    /// A delta: when the export was confirmed that it builds on; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Profiles in the audience.
    pub members: u64,
    /// Of them, left out.
    pub withheld: Withheld,
    /// Profiles that came in because they object (`include_objectors`).
    pub objectors: u64,
    /// Profiles that were to be exported: members less withheld, and objectors.
    pub profiles: Profiles,
    /// Their identifiers by type.
    pub identifiers: BTreeMap<String, Identifiers>,
    /// Identifiers that were written to be taken out.
    pub removed: u64,
    /// Identifiers to be taken out that no source has any more, or only in another form: the receiver still has them.
    pub cannot_remove: u64,
    /// Sources that were not read because their declared `uses` do not permit it.
    pub sources_left_out: Vec<String>,
    /// When a suppression list ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The files, in the order in which they were confirmed.
    pub files: Vec<Written>,
    /// What to know or do about it.
    pub notes: Vec<String>,
}

/// Profiles by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Profiles {
    /// At least one of their identifiers is at the receiver now.
    pub exported: u64,
    /// None of their identifiers is in a source that was read, or has a place in the format.
    pub not_exportable: u64,
}

/// Identifiers of one type by what became of them: `identifiers` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Identifiers {
    /// Those of everybody who is to be exported.
    pub identifiers: u64,
    /// Written.
    pub exported: u64,
    /// Written by an earlier export already.
    pub unchanged: u64,
    /// In no source that was read: they came by the doors, or their rows are gone.
    pub not_exportable: u64,
    /// Of a type that the format has no place for, or hashed as the receiver never would.
    pub not_in_format: u64,
}

impl Ask {
    /// Checks what does not fit together.
    ///
    /// # Errors
    /// Why it cannot be done: the field, and the sentence.
    pub fn check(&self, audience: &Audience, loaded: &Loaded) -> std::result::Result<(), (&'static str, String)> {
        let suppress = audience.kind == AudienceKind::Suppress;
        let whole = matches!(self.format, Format::Roaring | Format::Suppression);
        if self.delta && whole {
            return Err(("delta", format!("`{}` is always written as a whole", self.format.name())));
        }
        if self.format == Format::Suppression && !suppress {
            let message = format!("`{}` is not an audience of kind `suppress`", audience.id);
            return Err(("format", message));
        }
        if self.include_objectors && !suppress {
            return Err(("include_objectors", "whoever objects is never in an export to be spoken to".to_owned()));
        }
        if !(1..=EXPIRES_DAYS.1).contains(&self.expires_days) {
            return Err(("expires_days", format!("choose 1 to {} days", EXPIRES_DAYS.1)));
        }
        if !cfg!(feature = "lake") && self.format == Format::Parquet {
            return Err(("format", "this vaglio was built without Parquet (feature `lake`)".to_owned()));
        }
        match self.ids.iter().find(|id| !loaded.id_types.iter().any(|known| known.name == **id)) {
            Some(unknown) => {
                let known: Vec<&str> = loaded.id_types.iter().map(|id_type| id_type.name.as_str()).collect();
                Err(("ids", format!("no source has identifiers of type `{unknown}`; known: {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// Whether identifiers of this type are asked for.
    fn wants(&self, id_type: &str) -> bool {
        self.ids.is_empty() || self.ids.iter().any(|id| id == id_type)
    }
}

/// The least members that an audience is exported with.
pub fn floor(audience: &Audience, loaded: &Loaded) -> u64 {
    audience.floor.unwrap_or(u64::from(loaded.config.protection.activation_floor))
}

/// Why an audience of so many is not exported.
pub fn below_floor(audience: &Audience, there: u64, floor: u64) -> Option<Error> {
    (there < floor).then(|| {
        Error::input(format!(
            "`{}` has fewer than {floor} members who may be exported, its activation floor; make the audience wider (or lower \
             `floor` or `protection.activation_floor`)",
            audience.id
        ))
    })
}

/// Exports. Blocks; files appear whole, and what was exported is remembered only once they are there.
///
/// # Errors
/// An audience below its floor, sources that cannot be read or none that may be, a place that refuses, another export of the
/// same at the same time, or that it was broken off.
pub fn export(inputs: &Inputs<'_>) -> Result<Report> {
    if !inputs.audience.is_valid(inputs.loaded.clock().now()) {
        let message = format!("`{}` is outside its time of validity: nobody is in it now", inputs.audience.id);
        return Err(Error::input(message));
    }
    let phase = inputs.progress.phase("members", None, Unit::Rows);
    let eligible = who::eligible(inputs)?;
    if let Some(refusal) = below_floor(inputs.audience, eligible.people.len(), floor(inputs.audience, inputs.loaded)) {
        return Err(refusal);
    }
    let manifest = inputs.serving.manifest();
    let mut report = Report {
        generation: manifest.generation.0,
        as_of: manifest.as_of.to_string(),
        members: inputs.members.len(),
        withheld: eligible.withheld,
        objectors: eligible.objectors,
        ..Report::default()
    };
    phase.done(&format!("{} members, {} of them withheld", report.members, report.withheld.total()));
    let now = Clock::System.now();
    let stem = stem(inputs);
    if inputs.ask.format == Format::Roaring {
        report.files = bitmap::export(inputs, &stem, &eligible, &mut report)?;
    } else {
        let directory = inputs.loaded.config.data_dir.join("exports");
        let made = fs::create_dir_all(&directory);
        made.map_err(|error| Error::io(format!("make the directory {}", directory.display()), error))?;
        let ids = inputs.ask.ids.join(",");
        let parts = [inputs.audience.id.as_str(), inputs.ask.format.name(), &ids, inputs.receiver];
        let memory = sent::file(&directory, &parts);
        let _alone = alone(&memory)?;
        reading::export(inputs, &stem, &eligible, &memory, now, &mut report)?;
    }
    report.advise();
    Ok(report)
}

/// Lets nobody else export the same to the same place, whichever process it is.
fn alone(memory: &std::path::Path) -> Result<File> {
    let path = memory.with_extension("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| Error::io(format!("open {}", path.display()), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => {
            Err(Error::busy("the same audience is being exported to the same place just now; wait for that to end"))
        }
    }
}

/// What the names of an export's files begin with: `owner_id-generation-time`.
fn stem(inputs: &Inputs<'_>) -> String {
    let (id, generation) = (&inputs.audience.id, inputs.serving.generation().0);
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    format!("{}_{}-{generation:06}-{time}", id.owner(), id.id())
}

impl Inputs<'_> {
    fn stop_if_cancelled(&self) -> Result<()> {
        if self.watch.is_cancelled() {
            return Err(Error::busy("the export was cancelled; nothing of it was confirmed"));
        }
        Ok(())
    }
}

impl Report {
    fn count(&mut self, id_type: &str) -> &mut Identifiers {
        self.identifiers.entry(id_type.to_owned()).or_default()
    }

    /// How many identifiers were written to be taken in.
    pub fn written(&self) -> u64 {
        self.identifiers.values().map(|by| by.exported).sum()
    }

    fn advise(&mut self) {
        let not_exportable: u64 = self.identifiers.values().map(|by| by.not_exportable).sum();
        if not_exportable > 0 {
            self.notes.push(format!(
                "{not_exportable} identifiers are in no source that was read (they came by the doors, or their rows are gone), so they cannot be exported"
            ));
        }
        if self.cannot_remove > 0 {
            self.notes.push(format!(
                "{} identifiers that the receiver has could not be written to be removed, because no source has them any more as they were \
                 written; export the audience as a whole (without `delta`) and have the receiver replace what it has",
                self.cannot_remove
            ));
        }
        if !self.sources_left_out.is_empty() {
            self.notes.push(format!("not read, because of their `uses`: {}", self.sources_left_out.join(", ")));
        }
    }
}

/// When a suppression list that is made now ends.
fn expiry(now: Timestamp, ask: &Ask) -> Timestamp {
    Timestamp(now.0 + i64::from(ask.expires_days) * 86_400)
}
