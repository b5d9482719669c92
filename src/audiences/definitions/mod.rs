//! Definition files: YAML with audiences, campaigns and groups -> the catalogue, and everything that is wrong, at once.
//!
//! `node` YAML -> nodes with places; `fields` reads a map key by key; `audience`, `campaign`, `group` and `pressure` read
//! one definition each; `place` maps a rule's characters into the file; `resolve` checks what only the whole can show.

mod audience;
mod campaign;
mod fields;
mod group;
mod node;
mod place;
mod pressure;
mod resolve;
#[cfg(test)]
mod tests;

use super::{Catalogue, Diagnostic, Severity};
use crate::error::{Error, Problem, Result};
use crate::schema::Declarations;
use fields::Fields;
use jiff::tz::TimeZone;
use serde::Serialize;
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
    let mut drafts = Drafts::default();
    let mut found = Vec::new();
    for (file, (_, text)) in files.iter().enumerate() {
        let mut of_file = Vec::new();
        read_file(file, text, zone, &mut drafts, &mut of_file);
        found.extend(of_file.into_iter().map(|diagnostic| (file, diagnostic)));
    }
    let read = (drafts.audiences.len(), drafts.campaigns.len());
    let catalogue = resolve::resolve(drafts, declarations, &mut found);
    let findings = locate(files, found);
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
    let checked = check(files, declarations, zone);
    match checked.catalogue {
        Some(catalogue) => Ok((catalogue, checked.findings)),
        None => {
            let errors = checked.findings.iter().filter(|finding| finding.severity == Severity::Error);
            let problems = errors.map(Finding::to_problem).collect::<Vec<_>>();
            let count = problems.len();
            let message = format!("the definitions have {count} error{}", if count == 1 { "" } else { "s" });
            Err(Error::usage(message).with_problems(problems))
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

fn read_file(file: usize, text: &str, zone: &TimeZone, drafts: &mut Drafts, found: &mut Vec<Diagnostic>) {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("this file has {} bytes; at most {MAX_FILE_BYTES} are read", text.len());
        found.push(Diagnostic::error("too-large", 0..0, message).help("split it into several files"));
        return;
    }
    let (documents, wrong) = node::read(text);
    found.extend(wrong);
    for document in &documents {
        if matches!(document.value, node::Value::Nothing) {
            continue;
        }
        let Some(mut fields) =
            Fields::read(document, "a definition file", &["audiences", "campaigns", "groups", "pressure"], found)
        else {
            continue;
        };
        let (audiences, campaigns, groups) = (fields.list("audiences"), fields.list("campaigns"), fields.get("groups"));
        let pressure = fields.get("pressure");
        for (what, read, more, most) in [
            ("audiences", drafts.audiences.len(), audiences.len(), MAX_AUDIENCES),
            ("campaigns", drafts.campaigns.len(), campaigns.len(), MAX_CAMPAIGNS),
        ] {
            if read + more > most {
                let message = format!("there are more than {most} {what}");
                fields.error("too-many", document.span.start..document.span.start, message);
                return;
            }
        }
        drafts.audiences.extend(audiences.iter().filter_map(|node| audience::read(file, text, node, found)));
        drafts.campaigns.extend(campaigns.iter().filter_map(|node| campaign::read(file, node, zone, found)));
        drafts.groups.extend(groups.map(|node| group::read(file, node, found)).unwrap_or_default());
        drafts.pressure.extend(pressure.map(|node| pressure::read(file, node, found)).unwrap_or_default());
    }
}

/// Lines and columns for byte offsets.
fn locate(files: &[(PathBuf, String)], mut found: Vec<(usize, Diagnostic)>) -> Vec<Finding> {
    found.sort_by(|(file, a), (other, b)| (file, a.span.start, a.severity).cmp(&(other, b.span.start, b.severity)));
    found.dedup();
    let mut lines: Vec<Option<Vec<usize>>> = vec![None; files.len()];
    let mut findings = Vec::with_capacity(found.len());
    for (file, diagnostic) in found {
        let (path, text) = &files[file];
        let starts = lines[file].get_or_insert_with(|| {
            std::iter::once(0)
                .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
                .collect()
        });
        findings.push(finding(path, text, starts, diagnostic));
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
    Finding { severity, code, file: path.to_owned(), line, column, message, help, span }
}
