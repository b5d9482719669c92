//! What a change does to those who are in audiences and to campaigns, as far as somebody must confirm it; and the token that
//! confirms exactly this change.

use super::super::View;
use super::base::Base;
use crate::audiences::definitions::Finding;
use crate::audiences::order::{references, resting_on_others};
use crate::audiences::versions::{Item, Kind};
use crate::audiences::{Audience, AudienceKind, Catalogue, Expr};
use crate::error::Error;
use crate::evaluate::Plan;
use crate::evaluate::survey::Watch;
use crate::schema::AudienceId;
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How many audiences are evaluated at once: their members are held in memory.
const AT_ONCE: usize = 16;
/// For how long members are counted. What is not counted by then must be confirmed unseen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why something must be confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A stable name for tools.
    pub code: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// `owner/id`.
    pub id: AudienceId,
    /// A sentence.
    pub detail: String,
    /// Members before, joins, leaves.
    pub moved: Option<(u64, u64, u64)>,
    /// What is wrong already, where that is why nothing could be counted.
    pub wrong: Vec<Finding>,
}

impl Reason {
    fn new(code: &'static str, kind: Kind, id: &AudienceId, detail: String) -> Self {
        Reason { code, kind, id: id.clone(), detail, moved: None, wrong: Vec::new() }
    }
}

/// What a change touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// Audiences that were changed, and those that refer to them.
    pub audiences: BTreeSet<AudienceId>,
    /// Campaigns that were changed, and those that use these audiences.
    pub campaigns: BTreeSet<AudienceId>,
}

/// What differs between two catalogues.
pub fn affected(before: &Catalogue, after: &Catalogue, items: &[Item]) -> Affected {
    let changed = |kind: Kind| items.iter().filter(move |item| item.kind == kind).map(|item| item.id.clone());
    let mut audiences: BTreeSet<AudienceId> = changed(Kind::Audience).collect();
    for catalogue in [before, after] {
        dependants(catalogue, &mut audiences);
    }
    let mut campaigns: BTreeSet<AudienceId> = changed(Kind::Campaign).collect();
    for campaign in before.campaigns.iter().chain(&after.campaigns) {
        let excluded = campaign.exclude.iter().map(|exclude| &exclude.audience);
        if campaign.include.iter().chain(excluded).any(|id| audiences.contains(id)) {
            campaigns.insert(campaign.id.clone());
        }
    }
    Affected { audiences, campaigns }
}

/// Adds those that refer to some of these audiences, directly or not.
fn dependants(catalogue: &Catalogue, some: &mut BTreeSet<AudienceId>) {
    let references = references(catalogue);
    let order = crate::audiences::order::evaluation_order(catalogue);
    let mut touched: Vec<bool> = catalogue.audiences.iter().map(|audience| some.contains(&audience.id)).collect();
    for at in order {
        touched[at as usize] |= references[at as usize].iter().any(|other| touched[*other as usize]);
    }
    let ids = catalogue.audiences.iter().zip(touched).filter(|(_, touched)| *touched);
    some.extend(ids.map(|(audience, _)| audience.id.clone()));
}

/// A change between two catalogues, as it is weighed.
pub struct Weighed<'a> {
    /// What is in force.
    pub before: &'a Catalogue,
    /// What would be.
    pub after: &'a Catalogue,
    /// What is changed.
    pub items: &'a [Item],
    /// Of which share of its members an audience may move unconfirmed.
    pub share: f64,
    /// The owner whose key asks; `None` = everybody's. It is told nothing that could be counted of others' audiences.
    pub owner: Option<&'a str>,
}

impl Weighed<'_> {
    /// Everything that must be confirmed, but for who moves.
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons = exclusions(self.before, self.after, self.items);
        reasons.extend(suppressed(self.before, self.after, self.items));
        reasons
    }
}

/// That nothing could be weighed: what is in force is wrong already, so nobody knows what it was.
pub fn unknown(wrong: &[Finding], items: &[Item]) -> Option<Reason> {
    let Item { kind, id, .. } = items.first()?;
    let detail =
        "what is in force is wrong already, so nobody can tell whom this moves, or which exclusions it removes";
    Some(Reason { wrong: wrong.to_vec(), ..Reason::new("not_counted", *kind, id, detail.to_owned()) })
}

/// That there are people, and they could not be counted.
pub fn unseen(why: &Error, affected: &Affected) -> Option<Reason> {
    let detail = format!("nobody can tell whom this moves: {why}");
    Some(Reason::new("not_counted", Kind::Audience, affected.audiences.first()?, detail))
}

/// Exclusions that campaigns lose.
fn exclusions(before: &Catalogue, after: &Catalogue, items: &[Item]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for item in items.iter().filter(|item| item.kind == Kind::Campaign) {
        let of = |catalogue: &'_ Catalogue| catalogue.campaign(&item.id).map(|at| at as usize);
        let (Some(old), Some(new)) = (of(before), of(after)) else { continue };
        let (old, new) = (&before.campaigns[old], &after.campaigns[new]);
        for exclude in &old.exclude {
            let audience = &exclude.audience;
            let reason = |code, what: &str| {
                Reason::new(code, Kind::Campaign, &item.id, format!("the campaign `{}` {what}", item.id))
            };
            match new.exclude.iter().find(|now| now.audience == *audience) {
                None => reasons.push(reason("exclusion_removed", &format!("excludes `{audience}` no more"))),
                Some(now) if exclude.hard && !now.hard => {
                    let what = format!(
                        "may speak while it is not known who is in `{audience}`: its exclusion is hard no more"
                    );
                    reasons.push(reason("exclusion_softened", &what));
                }
                Some(_) => {}
            }
        }
    }
    reasons
}

/// Suppress audiences in use that go, or that are for targeting from here on; audiences that are excluded, and have an end or an
/// earlier one.
fn suppressed(before: &Catalogue, after: &Catalogue, items: &[Item]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let all = references(before);
    for item in items.iter().filter(|item| item.kind == Kind::Audience) {
        let Some(at) = before.number(&item.id) else { continue };
        let old = &before.audiences[at as usize];
        let new = after.number(&item.id).map(|at| &after.audiences[at as usize]);
        let campaigns =
            before.campaigns.iter().filter(|it| it.exclude.iter().any(|each| each.audience == item.id)).count();
        let rules = all.iter().filter(|of| of.contains(&at)).count();
        let used = format!("is in use: by {campaigns} campaigns and {rules} audiences");
        let mut reason = |code, what: String| reasons.push(Reason::new(code, Kind::Audience, &item.id, what));
        match new {
            _ if campaigns + rules == 0 => {}
            None if old.kind == AudienceKind::Suppress => {
                reason("suppress_archived", format!("the suppress audience `{}` {used}", item.id));
            }
            Some(new) if old.kind == AudienceKind::Suppress && new.kind != AudienceKind::Suppress => {
                reason("suppress_retargeted", format!("`{}` was a suppress audience, and {used}", item.id));
            }
            _ => {}
        }
        let end = |audience: &Audience| audience.valid_to.map_or(i64::MAX, |end| end.0);
        if let Some(new) = new
            && campaigns > 0
            && end(new) < end(old)
        {
            let end = new.valid_to.map(|end| end.to_string()).unwrap_or_default();
            let what = format!("{campaigns} campaigns exclude `{}`, and from {end} on nobody is in it", item.id);
            reason("exclusion_ends", what);
        }
    }
    reasons
}

impl Weighed<'_> {
    /// Audiences whose members may move: those that say otherwise who is in them, and those that rest on them; before and after.
    fn moving(&self) -> Vec<(&Audience, &Audience)> {
        let both = |id: &AudienceId| {
            let (old, new) = (self.before.number(id)?, self.after.number(id)?);
            Some((&self.before.audiences[old as usize], &self.after.audiences[new as usize]))
        };
        let says = |audience: &Audience| (audience.rule.clone(), audience.ttl, audience.valid_from, audience.valid_to);
        let of_audience = self.items.iter().filter(|item| item.kind == Kind::Audience).map(|item| &item.id);
        let mut ids: BTreeSet<AudienceId> =
            of_audience.filter(|id| both(id).is_none_or(|(old, new)| says(old) != says(new))).cloned().collect();
        for catalogue in [self.before, self.after] {
            dependants(catalogue, &mut ids);
        }
        ids.iter().filter_map(both).collect()
    }

    /// Audiences whose members move by more than a share of those there were. Of those that rest on another owner's a key of one
    /// owner is told only that they may: from how far they move somebody could count the other's.
    pub fn moved(&self, view: &View) -> Vec<Reason> {
        let mut both = self.moving();
        let mut reasons = Vec::new();
        if self.owner.is_some() {
            let foreign: Vec<BTreeSet<&AudienceId>> = [self.before, self.after].map(resting_on_others).into();
            both.retain(|(old, _)| {
                let rests = foreign.iter().any(|some| some.contains(&old.id));
                if rests {
                    let detail =
                        format!("`{}` rests on an audience of another owner: how far it moves is not told", old.id);
                    reasons.push(Reason::new("not_counted", Kind::Audience, &old.id, detail));
                }
                !rests
            });
        }
        let begun = Instant::now();
        for (at, some) in both.chunks(AT_ONCE).enumerate() {
            let counted = (begun.elapsed() < PATIENCE).then(|| {
                Some((
                    members(self.before, some.iter().map(|(old, _)| *old), view)?,
                    members(self.after, some.iter().map(|(_, new)| *new), view)?,
                ))
            });
            let Some((old, new)) = counted.flatten() else {
                let left = both.len() - at * AT_ONCE;
                let detail = format!(
                    "the change touches so much that {left} audiences could not be counted: nobody knows how far they move"
                );
                let id = some.first().map(|(old, _)| &old.id);
                reasons.extend(id.map(|id| Reason::new("not_counted", Kind::Audience, id, detail)));
                break;
            };
            let far = some
                .iter()
                .zip(old.iter().zip(&new))
                .filter_map(|((audience, _), (old, new))| self.far(&audience.id, old, new));
            reasons.extend(far);
        }
        reasons
    }

    /// Whether an audience moves too far.
    fn far(&self, id: &AudienceId, old: &RoaringBitmap, new: &RoaringBitmap) -> Option<Reason> {
        let (joins, leaves) = ((new - old).len(), (old - new).len());
        if old.is_empty() || (joins + leaves) as f64 <= self.share * old.len() as f64 {
            return None;
        }
        let percent = (joins + leaves) as f64 / old.len() as f64 * 100.0;
        let detail = format!(
            "of {} in `{id}` {leaves} leave and {joins} join: {percent:.0} % move, and more than {:.0} % must be confirmed",
            old.len(),
            self.share * 100.0
        );
        let moved = Some((old.len(), joins, leaves));
        Some(Reason { moved, ..Reason::new("members_moved", Kind::Audience, id, detail) })
    }
}

/// Who is in some audiences of a catalogue, over the generation's columns, at its minute.
fn members<'c>(
    catalogue: &Catalogue,
    some: impl Iterator<Item = &'c Audience>,
    view: &View,
) -> Option<Vec<RoaringBitmap>> {
    let some: Vec<&Audience> = some.collect();
    let rules: Vec<Expr> = some.iter().map(|audience| Expr::InAudience(audience.id.clone())).collect();
    let rules: Vec<&Expr> = rules.iter().collect();
    let plan = Plan::of_rules(&rules, catalogue, view.columns(), view.as_of(), view.zone());
    let mut members = plan.members(&Watch::default())?;
    for (audience, members) in some.iter().zip(&mut members) {
        if !audience.is_valid(view.as_of()) {
            members.clear();
        }
    }
    Some(members)
}

/// What confirms exactly this change for these reasons, made against exactly this state.
pub fn token(base: &Base, items: &[Item], who: Option<&str>, reasons: &[Reason]) -> String {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    put(&base.versions.last().to_le_bytes());
    put(who.unwrap_or("*").as_bytes());
    for (file, text) in &base.files {
        put(file.as_os_str().as_encoded_bytes());
        put(text.as_bytes());
    }
    for item in items {
        put(format!("{} {} {:?}", item.kind, item.id, item.state).as_bytes());
        put(item.text.as_deref().unwrap_or("").as_bytes());
    }
    // Data moves, too: what was not seen is not confirmed.
    for reason in reasons {
        put(format!("{} {} {}", reason.code, reason.kind, reason.id).as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
