//! Definition files: YAML with audiences, campaigns and groups -> the catalogue, and everything that is wrong, at once.
//!
//! `node` YAML -> nodes with places; `fields` reads a map key by key; `audience`, `campaign`, `group` and `pressure` read
//! one definition each; `place` maps a rule's characters into the file; `resolve` checks what only the whole can show;
//! `over` checks a text as a change of a catalogue; [`source`] the forms in which texts come; [`canonical`] one definition as the catalogue keeps it.

mod audience;
mod campaign;
pub mod canonical;
mod fields;
mod group;
mod node;
mod over;
mod place;
mod pressure;
mod resolve;
pub mod source;
#[cfg(test)]
mod tests;

pub use over::{Defines, check_over};

use super::{Catalogue, Diagnostic, Severity};
use crate::audiences::versions::Kind;
use crate::error::{Error, Problem, Result};
use crate::schema::Declarations;
use fields::Fields;
use jiff::tz::TimeZone;
use serde::Serialize;
use source::{Form, Source};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The largest definition file, in bytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// The most audiences of an installation.
pub const MAX_AUDIENCES: usize = 20_000;
/// The most campaigns of an installation.
pub const MAX_CAMPAIGNS: usize = 100_000;

/// An error or warning at its place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for tools.
    pub code: &'static str,
    /// The file, as it was named.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What was wrong and what was expected.
    pub message: String,
    /// What to do, a line each.
    pub help: Vec<String>,
    /// The bytes of the file.
    #[serde(skip)]
    pub span: Range<usize>,
    /// How many characters they are; 0 where that is not known.
    #[serde(skip)]
    pub length: usize,
}

impl Finding {
    /// As part of an [`Error`].
    pub fn to_problem(&self) -> Problem {
        let help = self.help.join("\n          ");
        Problem::new(&self.message).in_file(&self.file).at(self.line, self.column).help(help)
    }

    /// Drawn over the text of its file.
    pub fn render(&self, text: &str, colour: bool) -> String {
        let Finding { severity, code, message, help, span, .. } = self.clone();
        let diagnostic = Diagnostic { severity, code, span, message, help };
        super::render::render(&self.file.display().to_string(), text, &diagnostic, colour)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_problem().fmt(f)
    }
}

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// Everything that was defined, unless something is wrong.
    pub catalogue: Option<Catalogue>,
    /// Errors and warnings, by file and place.
    pub findings: Vec<Finding>,
    /// How many audiences and campaigns were read, wrong ones included as far as they have an id.
    pub read: (usize, usize),
}

impl Checked {
    /// How many findings are as bad as that.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Checks the files' texts against the vocabulary. Days of flights begin in `zone` unless they name their own.
pub fn check(files: &[(PathBuf, String)], declarations: &Declarations, zone: &TimeZone) -> Checked {
    let sources: Vec<Source> = files.iter().map(Source::file).collect();
    check_all(&sources, declarations, zone)
}

/// As [`check`], for texts of every form.
pub fn check_all(sources: &[Source], declarations: &Declarations, zone: &TimeZone) -> Checked {
    let mut drafts = Drafts::default();
    let mut found = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let mut of_file = Vec::new();
        read_source(file, source, zone, &mut drafts, &mut of_file);
        found.extend(of_file.into_iter().map(|diagnostic| (file, diagnostic)));
    }
    let read = (drafts.audiences.len(), drafts.campaigns.len());
    let restricted: Vec<bool> = sources.iter().map(|source| source.form.is_restricted()).collect();
    let catalogue = resolve::resolve(drafts, declarations, &restricted, &mut found);
    let findings = locate(sources, found);
    let wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    Checked { catalogue: (!wrong).then_some(catalogue), findings, read }
}

/// The catalogue of the files, and the warnings about it.
///
/// # Errors
/// Everything that is wrong in any of the files, with its place.
pub fn load(
    files: &[(PathBuf, String)],
    declarations: &Declarations,
    zone: &TimeZone,
) -> Result<(Catalogue, Vec<Finding>)> {
    check(files, declarations, zone).into_catalogue()
}

impl Checked {
    /// The catalogue, and the warnings about it.
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn into_catalogue(self) -> Result<(Catalogue, Vec<Finding>)> {
        match self.catalogue {
            Some(catalogue) => Ok((catalogue, self.findings)),
            None => {
                let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
                let problems = errors.map(Finding::to_problem).collect::<Vec<_>>();
                let count = problems.len();
                let message = format!("the definitions have {count} error{}", if count == 1 { "" } else { "s" });
                Err(Error::usage(message).with_problems(problems))
            }
        }
    }
}

/// Everything that was read, before it is put together.
#[derive(Debug, Default)]
struct Drafts {
    audiences: Vec<audience::AudienceDraft>,
    campaigns: Vec<campaign::CampaignDraft>,
    groups: Vec<group::GroupDraft>,
    pressure: Vec<pressure::PressureDraft>,
}

impl Drafts {
    /// Whether so many more audiences and campaigns are too many: what there are too many of.
    fn overflow(&self, audiences: usize, campaigns: usize) -> Option<String> {
        let too_many = |what, count, most| (count > most).then(|| format!("there are more than {most} {what}"));
        too_many("audiences", self.audiences.len() + audiences, MAX_AUDIENCES)
            .or_else(|| too_many("campaigns", self.campaigns.len() + campaigns, MAX_CAMPAIGNS))
    }
}

fn read_source(file: usize, of: &Source, zone: &TimeZone, drafts: &mut Drafts, found: &mut Vec<Diagnostic>) {
    let text = of.text;
    if text.len() > MAX_FILE_BYTES {
        let message = format!("this file has {} bytes; at most {MAX_FILE_BYTES} are read", text.len());
        found.push(Diagnostic::error("too-large", 0..0, message).help("split it into several files"));
        return;
    }
    // More likely a slip, or a write that broke off, than the wish to speak to nobody and to leave nobody alone.
    if matches!(of.form, Form::File) && text.trim().is_empty() {
        let empty = Diagnostic::error("empty-file", 0..0, "this file is empty");
        found.push(empty.help("a file that defines nothing says `audiences: []`"));
        return;
    }
    let (documents, wrong) = node::read(text);
    found.extend(wrong);
    for document in &documents {
        if matches!(document.value, node::Value::Nothing) {
            continue;
        }
        match of.form {
            Form::Item(kind, _) => read_item(file, of, kind, document, zone, drafts, found),
            Form::File | Form::Upload => read_document(file, of, document, zone, drafts, found),
        }
    }
}

/// The keys of a definition file.
const KEYS: [&str; 4] = ["audiences", "campaigns", "groups", "pressure"];

fn read_document(
    file: usize,
    of: &Source,
    document: &node::Node,
    zone: &TimeZone,
    drafts: &mut Drafts,
    found: &mut Vec<Diagnostic>,
) {
    let Some(mut fields) = Fields::read(document, "a definition file", &KEYS, found) else { return };
    let (audiences, campaigns, groups) = (fields.list("audiences"), fields.list("campaigns"), fields.get("groups"));
    let pressure = fields.get("pressure");
    if let Some(message) = drafts.overflow(audiences.len(), campaigns.len()) {
        fields.error("too-many", document.span.start..document.span.start, message);
        return;
    }
    drafts.audiences.extend(audiences.iter().filter_map(|node| audience::read(file, of, node, zone, found)));
    drafts.campaigns.extend(campaigns.iter().filter_map(|node| campaign::read(file, of, node, zone, found)));
    drafts.groups.extend(groups.map(|node| group::read(file, of, node, found)).unwrap_or_default());
    drafts.pressure.extend(pressure.map(|node| pressure::read(file, of, node, found)).unwrap_or_default());
}

fn read_item(
    file: usize,
    of: &Source,
    kind: Kind,
    node: &node::Node,
    zone: &TimeZone,
    drafts: &mut Drafts,
    found: &mut Vec<Diagnostic>,
) {
    let more = (usize::from(kind == Kind::Audience), usize::from(kind == Kind::Campaign));
    if let Some(message) = drafts.overflow(more.0, more.1) {
        found.push(Diagnostic::error("too-many", 0..0, message));
        return;
    }
    match kind {
        Kind::Audience => drafts.audiences.extend(audience::read(file, of, node, zone, found)),
        Kind::Campaign => drafts.campaigns.extend(campaign::read(file, of, node, zone, found)),
        Kind::Group => drafts.groups.extend(group::item_of_list(file, of, node, found)),
        Kind::Pressure => drafts.pressure.extend(pressure::read(file, of, node, found)),
    }
}

/// Lines and columns for byte offsets.
fn locate(sources: &[Source], mut found: Vec<(usize, Diagnostic)>) -> Vec<Finding> {
    found.sort_by(|(file, a), (other, b)| (file, a.span.start, a.severity).cmp(&(other, b.span.start, b.severity)));
    found.dedup();
    let mut lines: Vec<Option<Vec<usize>>> = vec![None; sources.len()];
    let mut findings = Vec::with_capacity(found.len());
    for (file, diagnostic) in found {
        let Source { name, text, .. } = sources[file];
        let starts = lines[file].get_or_insert_with(|| {
            std::iter::once(0)
                .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
                .collect()
        });
        findings.push(finding(name, text, starts, diagnostic));
    }
    findings
}

fn finding(path: &Path, text: &str, starts: &[usize], diagnostic: Diagnostic) -> Finding {
    let Diagnostic { severity, code, span, message, help } = diagnostic;
    let start = text.floor_char_boundary(span.start);
    let span = start..text.ceil_char_boundary(span.end.max(start));
    let line = starts.partition_point(|at| *at <= start);
    let from = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
    let column = text.get(from..start).map_or(1, |before| before.chars().count() + 1);
    let length = text.get(span.clone()).map_or(0, |part| part.chars().count());
    Finding { severity, code, file: path.to_owned(), line, column, message, help, span, length }
}
