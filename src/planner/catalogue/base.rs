//! What is in force: files and published definitions, checked together. Read once a change, shared by everybody who asks.

use crate::audiences::definitions::Finding;
use crate::audiences::definitions::canonical::{Summary, summary};
use crate::audiences::versions::{History, Kind, Version, Versions};
use crate::audiences::{Catalogue, Severity};
use crate::build::defined::{Name, Place, Texts};
use crate::config::Loaded;
use crate::schema::AudienceId;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// What is wrong, and where: its text, a code, what is said.
pub type Wrong = (PathBuf, &'static str, String);

/// What is in force.
#[derive(Debug)]
pub struct Base {
    /// The definition files.
    pub files: Vec<(PathBuf, String)>,
    /// What they define, and where.
    pub owned: BTreeMap<Name, Place>,
    /// Every version of everything.
    pub versions: Arc<Versions>,
    /// Everything together; `None` when something is wrong.
    pub catalogue: Option<Catalogue>,
    /// What is wrong already: the vocabulary has changed, or a file.
    pub wrong: BTreeSet<Wrong>,
    /// The same, each at its place.
    pub findings: Vec<Finding>,
    /// What was asked of texts, by their address: they are shared and never change.
    summaries: Mutex<HashMap<Arc<str>, Arc<Summary>>>,
}

impl Base {
    pub(super) fn new(loaded: &Loaded, files: Vec<(PathBuf, String)>, versions: Arc<Versions>) -> Self {
        let texts = Texts::of(&files, &versions);
        let checked = texts.check(&loaded.declarations, &loaded.zone());
        let errors = checked.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let findings: Vec<Finding> = errors.cloned().collect();
        let wrong =
            findings.iter().map(|finding| (finding.file.clone(), finding.code, finding.message.clone())).collect();
        let (owned, catalogue) = (texts.owned, checked.catalogue);
        Base { files, owned, versions, catalogue, wrong, findings, summaries: Mutex::default() }
    }

    pub(super) fn is_of(&self, files: &[(PathBuf, String)], versions: &Versions) -> bool {
        self.versions.last() == versions.last() && self.files == files
    }

    /// The texts of everything in force.
    pub fn texts(&self) -> Texts<'_> {
        Texts::with(&self.files, self.owned.clone(), &self.versions)
    }

    /// Where a file defines it.
    pub fn file_of(&self, kind: Kind, id: &AudienceId) -> Option<&Place> {
        let every = || (kind == Kind::Group).then(|| self.owned.get(&(kind, AudienceId::new("*", id.id())))).flatten();
        self.owned.get(&(kind, id.clone())).or_else(every)
    }

    /// The history of what is in the catalogue and in no file.
    pub fn history(&self, kind: Kind, id: &AudienceId) -> Option<&History> {
        self.versions.get(kind, id).filter(|_| self.file_of(kind, id).is_none())
    }

    /// Whether an owner's audience may be used by another.
    pub fn shares(&self, kind: Kind, id: &AudienceId, with: &str) -> bool {
        let audience = || self.catalogue.as_ref().and_then(|all| all.audiences.get(all.number(id)? as usize));
        kind == Kind::Audience && audience().is_some_and(|audience| audience.share.permits(with))
    }

    /// What a text says of itself at a glance.
    pub fn summary(&self, kind: Kind, text: &Arc<str>) -> Arc<Summary> {
        let mut known = self.summaries.lock();
        Arc::clone(known.entry(Arc::clone(text)).or_insert_with(|| Arc::new(summary(kind, text))))
    }
}

/// The text that stands for an item: its draft, what is in force, or what was before it was archived.
pub fn standing(history: &History) -> Option<&Version> {
    let texts = || history.versions().iter().rev().find(|version| version.text.is_some());
    history.draft().or_else(|| history.published()).or_else(texts)
}
