//! What somebody wants changed, and what comes of it: everything or nothing, decided against what is in force and written
//! behind it.

use super::super::View;
use super::Definitions;
use super::base::Base;
use super::named::{self, drafts, gone, in_no_file, owned_by, picked, stands, uploaded};
use super::refusal::Refusal;
use super::weigh::{Affected, Reason, Weighed, affected, token, unknown, unseen};
use crate::access::{Role, Who};
use crate::audiences::Severity;
use crate::audiences::definitions::canonical::{item, split};
use crate::audiences::definitions::source::{Form, Source};
use crate::audiences::definitions::{Checked, Finding};
use crate::audiences::versions::{Change, Item, Kind, LONGEST_COMMENT, State};
use crate::build::defined::{Name, called, version};
use crate::config::Loaded;
use crate::config::planning::Approval;
use crate::error::Result;
use crate::schema::{AudienceId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often a decision is made anew when others are quicker.
const TRIES: usize = 8;

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Everything in some texts, which findings call so.
    Texts(Vec<(PathBuf, String)>),
    /// One definition, as this text has it.
    One(Kind, AudienceId, String, Expected),
    /// Versions that are there already; `None` = the draft.
    Versions(Vec<(Kind, AudienceId, Option<u64>)>),
    /// That these are no more.
    Archive(Vec<(Kind, AudienceId)>, Expected),
    /// Both of these at once.
    Mixed(Vec<(Kind, AudienceId, Option<u64>)>, Vec<(Kind, AudienceId)>),
}

/// Which version must be the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// Any, or none.
    #[default]
    Any,
    /// There must be some.
    Some,
    /// There must be none.
    None,
    /// This one.
    Version(u64),
}

/// Who wants it, and how.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who.
    pub who: Who,
    /// Why.
    pub comment: Option<String>,
    /// Whether it shall be in force, or a draft.
    pub publish: bool,
    /// Whether it shall only be looked at.
    pub dry_run: bool,
    /// What confirms it.
    pub confirm: Option<String>,
}

/// What has come of it.
#[derive(Debug)]
pub struct Done {
    /// The change's number and time; `None` when nothing was written.
    pub change: Option<(u64, Timestamp)>,
    /// What was changed: its name, the version it has now, what it is, and whether there was none before.
    pub items: Vec<(Name, u64, State, bool)>,
    /// What stood there already as it was sent.
    pub unchanged: Vec<Name>,
    /// Warnings.
    pub warnings: Vec<Finding>,
    /// What it touches.
    pub affected: Affected,
    /// What had to be confirmed, and by what: for a dry run.
    pub reasons: Vec<Reason>,
    /// See [`Done::reasons`].
    pub token: Option<String>,
    /// The digest of the definitions that are in force now.
    pub definitions: Option<String>,
}

/// Makes entries in the audit trail.
pub type Note<'a> = &'a dyn Fn(&Asked, &Base, &[Item]) -> std::result::Result<(), Refusal>;

/// What changes are decided with.
pub struct Desk<'a> {
    /// The configuration and its vocabulary.
    pub loaded: &'a Loaded,
    /// The definitions.
    pub definitions: &'a Definitions,
    /// The generation that is counted over; `None` where there is none yet. Where it cannot be had, what moves is confirmed unseen.
    pub view: &'a dyn Fn() -> Result<Option<Arc<View>>>,
    /// Makes an entry in the audit trail, before anything is written.
    pub note: Note<'a>,
}

/// What is decided and not yet written.
struct Decided {
    items: Vec<Item>,
    unchanged: Vec<Name>,
    warnings: Vec<Finding>,
    affected: Affected,
    reasons: Vec<Reason>,
    token: Option<String>,
    definitions: Option<String>,
}

impl Desk<'_> {
    /// Does it, whole or not at all.
    ///
    /// # Errors
    /// Why not.
    pub fn change(&self, asked: &Asked, wish: &Wish) -> std::result::Result<Done, Refusal> {
        if asked.comment.as_ref().is_some_and(|comment| comment.chars().count() > LONGEST_COMMENT) {
            let message = format!("a comment has at most {LONGEST_COMMENT} characters");
            return Err(Refusal::Senseless(message, "shorten it"));
        }
        let mut noted = false;
        for _ in 0..TRIES {
            let base = self.definitions.base(self.loaded)?;
            let decided = self.decide(asked, wish, &base)?;
            if asked.dry_run || decided.items.is_empty() {
                return Ok(done(&base, decided, None));
            }
            if !noted {
                (self.note)(asked, &base, &decided.items)?;
                noted = true;
            }
            let change = Change {
                number: base.versions.last() + 1,
                author: asked.who.name.clone(),
                comment: asked.comment.clone(),
                items: decided.items.clone(),
            };
            if let Some(time) = self.definitions.write(self.loaded, base.versions.last(), &change)? {
                return Ok(done(&base, decided, Some((change.number, time))));
            }
        }
        Err(Refusal::Busy)
    }

    fn decide(&self, asked: &Asked, wish: &Wish, base: &Base) -> std::result::Result<Decided, Refusal> {
        let archives = matches!(wish, Wish::Archive(..));
        let publish = asked.publish || archives;
        let (mut items, texts) = self.items(asked, wish, base, publish)?;
        let mut unchanged = Vec::new();
        items.retain(|item| {
            let stands = stands(base, item);
            if stands {
                unchanged.push((item.kind, item.id.clone()));
            }
            !stands
        });
        let checked = self.check(asked, base, &items, &texts, publish)?;
        let errors = |finding: &Finding| finding.severity == Severity::Error;
        let warnings =
            checked.findings.iter().filter(|it| !errors(it) && is_sent(&texts, &items, it)).cloned().collect();
        let mut decided = Decided {
            items,
            unchanged,
            warnings,
            affected: Affected::default(),
            reasons: Vec::new(),
            token: None,
            definitions: None,
        };
        if publish {
            self.weigh(asked, base, checked, &mut decided)?;
        }
        Ok(decided)
    }

    /// What shall be written, and the texts that errors are told of.
    fn items(
        &self,
        asked: &Asked,
        wish: &Wish,
        base: &Base,
        publish: bool,
    ) -> std::result::Result<(Vec<Item>, Vec<Sent>), Refusal> {
        let state = if publish { State::Published } else { State::Draft };
        match wish {
            Wish::Texts(texts) => uploaded(asked, base, texts, state),
            Wish::One(kind, id, text, expected) => {
                owned_by(asked, &[(*kind, id.clone(), 0)])?;
                in_no_file(base, &[(*kind, id.clone(), 0)])?;
                named::expected(base, *kind, id, *expected)?;
                let Some(canonical) = item(*kind, id, text) else {
                    let sent = Sent { name: PathBuf::from("body"), text: text.clone(), of: Some((*kind, id.clone())) };
                    return Ok((Vec::new(), vec![sent]));
                };
                let new = Item { kind: *kind, id: id.clone(), state, text: Some(canonical) };
                let sent = Sent { name: PathBuf::from("body"), text: text.clone(), of: Some((*kind, id.clone())) };
                Ok((vec![new], vec![sent]))
            }
            Wish::Versions(versions) => Ok((picked(asked, base, versions)?, Vec::new())),
            Wish::Archive(names, expected) => {
                for (kind, id) in names {
                    owned_by(asked, &[(*kind, id.clone(), 0)])?;
                    in_no_file(base, &[(*kind, id.clone(), 0)])?;
                    named::expected(base, *kind, id, *expected)?;
                }
                Ok((gone(asked, base, names)?, Vec::new()))
            }
            Wish::Mixed(versions, names) => {
                let mut items = picked(asked, base, versions)?;
                items.extend(gone(asked, base, names)?);
                items.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
                if let Some(twice) = items.windows(2).find(|two| (two[0].kind, &two[0].id) == (two[1].kind, &two[1].id))
                {
                    let message = format!("the {} `{}` is named twice", twice[0].kind, twice[0].id);
                    return Err(Refusal::Senseless(message, "name it once"));
                }
                Ok((items, Vec::new()))
            }
        }
    }

    /// Everything as it would be. Drafts are checked among the other drafts of their owners, and only what is wrong in them counts.
    fn check(
        &self,
        asked: &Asked,
        base: &Base,
        items: &[Item],
        sent: &[Sent],
        publish: bool,
    ) -> std::result::Result<Checked, Refusal> {
        let mut texts = base.texts();
        if !publish {
            drafts(&mut texts, base, items, asked.who.owner.as_deref());
        }
        let sent_alone =
            |item: &Item| sent.iter().any(|sent| sent.of.is_none() || sent.of == Some((item.kind, item.id.clone())));
        for item in items {
            let name = (item.kind, item.id.clone());
            match item.text.as_deref().filter(|_| !sent_alone(item)) {
                Some(text) => texts.put(name, text.into()),
                None => drop(texts.items.remove(&name)),
            }
        }
        // What stands as it was sent is checked where it was sent, too.
        let pieces = sent.iter().filter(|sent| sent.of.is_none()).flat_map(|sent| split(&sent.text));
        pieces.for_each(|piece| drop(texts.items.remove(&(piece.kind, piece.id))));
        sent.iter().filter_map(|sent| sent.of.as_ref()).for_each(|name| drop(texts.items.remove(name)));
        let sources: Vec<Source> = sent.iter().map(Sent::source).collect();
        let checked = texts.check_with(&sources, &self.loaded.declarations, &self.loaded.zone());
        let new = |finding: &&Finding| {
            let known = (finding.file.clone(), finding.code, finding.message.clone());
            finding.severity == Severity::Error
                && (is_sent(sent, items, finding) || (publish && !base.wrong.contains(&known)))
        };
        let wrong: Vec<Finding> = checked.findings.iter().filter(new).cloned().collect();
        if wrong.is_empty() {
            return Ok(checked);
        }
        let own = wrong.iter().any(|finding| is_sent(sent, items, finding));
        Err(if own { Refusal::Wrong(wrong) } else { Refusal::Breaks(wrong) })
    }

    /// What it does to what is in force, and whether somebody who may has confirmed it.
    fn weigh(
        &self,
        asked: &Asked,
        base: &Base,
        after: Checked,
        decided: &mut Decided,
    ) -> std::result::Result<(), Refusal> {
        let publishing = &self.loaded.config.publishing;
        let planner = asked.who.role == Some(Role::Planner);
        if let Some(after) = &after.catalogue {
            decided.definitions = Some(version(after)?);
        }
        match (&base.catalogue, &after.catalogue) {
            (Some(before), Some(after)) => {
                decided.affected = affected(before, after, &decided.items);
                let (items, share) = (&decided.items, publishing.confirm_moved_share);
                let weighed = Weighed { before, after, items, share, owner: asked.who.owner.as_deref() };
                decided.reasons = weighed.reasons();
                let none = decided.affected.audiences.is_empty();
                match if none { Ok(None) } else { (self.view)() } {
                    Ok(view) => decided.reasons.extend(view.iter().flat_map(|view| weighed.moved(view))),
                    Err(why) => decided.reasons.extend(unseen(&why, &decided.affected)),
                }
            }
            _ => decided.reasons.extend(unknown(&base.findings, &decided.items)),
        }
        if decided.items.is_empty() {
            return Ok(());
        }
        let confirms = !decided.reasons.is_empty();
        let token = token(base, &decided.items, asked.who.owner.as_deref(), &decided.reasons);
        let confirmed = asked.confirm.as_deref() == Some(token.as_str());
        decided.token = confirms.then(|| token.clone());
        if asked.dry_run {
            return Ok(());
        }
        match publishing.approval {
            Approval::All if planner => return Err(Refusal::Approver(Vec::new())),
            Approval::Confirmed if planner && confirms => return Err(Refusal::Approver(decided.reasons.clone())),
            _ => {}
        }
        if confirms && !confirmed {
            return Err(Refusal::Confirm(decided.reasons.clone(), token));
        }
        Ok(())
    }
}

/// A text that somebody sent: a file's worth, or one definition.
pub(super) struct Sent {
    pub(super) name: PathBuf,
    pub(super) text: String,
    pub(super) of: Option<Name>,
}

impl Sent {
    fn source(&self) -> Source<'_> {
        let form = self.of.as_ref().map_or(Form::Upload, |(kind, id)| Form::Item(*kind, id));
        Source { name: &self.name, text: &self.text, form }
    }
}

/// Whether something is said of what was sent or changed.
fn is_sent(sent: &[Sent], items: &[Item], finding: &Finding) -> bool {
    let file: &Path = &finding.file;
    sent.iter().any(|sent| sent.name == file)
        || items.iter().any(|item| item.state != State::Archived && called(item.kind, &item.id) == file)
}

fn done(base: &Base, decided: Decided, change: Option<(u64, Timestamp)>) -> Done {
    let item = |item: &Item| {
        let history = base.versions.get(item.kind, &item.id);
        let last = history.and_then(|history| history.last());
        let new = last.is_none_or(|last| last.state == State::Archived);
        ((item.kind, item.id.clone()), last.map_or(0, |last| last.number) + 1, item.state, new)
    };
    Done {
        change,
        items: decided.items.iter().map(item).collect(),
        unchanged: decided.unchanged,
        warnings: decided.warnings,
        affected: decided.affected,
        reasons: decided.reasons,
        token: decided.token,
        definitions: decided.definitions,
    }
}
