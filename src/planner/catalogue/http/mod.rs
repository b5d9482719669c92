//! The paths of the catalogue: `shapes` what they answer, `see` those that show, `change` those that change.

mod change;
mod download;
mod history;
mod see;
mod shapes;

use super::query::Query;
use super::refusal::{Held, Refusal};
use super::weigh::Reason;
use super::wish::{Asked, Desk, Done, Wish};
use crate::access::{Entry, Who};
use crate::audiences::definitions::Finding;
use crate::audiences::versions::{Item, Kind, State};
use crate::planner::Planner;
use crate::planner::profiles::refused;
use crate::planner::reply::{Fault, Refused};
use crate::schema::{AudienceId, names::is_name};
use crate::snapshot::Store;
use crate::wire::Code;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most definitions of a change that have an entry each in the audit trail; of more each owner has one.
const MOST_ENTRIES: usize = 20;

/// The paths of this room.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(see::list, change::upload))
        .routes(routes!(download::download))
        .routes(routes!(see::one, change::put, change::archive))
        .routes(routes!(history::versions))
        .routes(routes!(history::version))
        .routes(routes!(history::diff))
        .routes(routes!(change::publish))
        .with_state(planner)
}

/// `audiences`, `campaigns`, `groups` or `pressure`, and a name.
fn named(kind: &str, owner: &str, id: &str) -> Result<(Kind, AudienceId), Refused> {
    let kind = Kind::ALL.into_iter().find(|known| known.plural() == kind).ok_or_else(no_path)?;
    if !is_name(owner) || !is_name(id) {
        return Err(absent(kind, &AudienceId::new(owner, id)));
    }
    if kind == Kind::Pressure && id != "pressure" {
        return Err(absent(kind, &AudienceId::new(owner, id)));
    }
    Ok((kind, AudienceId::new(owner, id)))
}

fn no_path() -> Refused {
    Refused::new(Code::NotFound, "there is no such path", "`/` lists those that there are")
}

fn absent(kind: Kind, id: &AudienceId) -> Refused {
    Refused::new(
        Code::NotFound,
        format!("there is no {kind} `{id}`"),
        "`/api/v1/definitions` lists those that there are",
    )
}

impl Planner {
    /// Changes the catalogue, and tells the builder.
    fn change(&self, asked: &Asked, wish: &Wish) -> Result<Done, Refused> {
        let view = || match self.standing.answering() {
            Some(_) => self.view().map(Some).map_err(|refused| crate::error::Error::input(refused.failure.message)),
            // Before the first nobody is in anything. Behind it, somebody is, also while it is taken into service.
            None => match Store::open(&self.loaded.config.data_dir)?.current()? {
                None => Ok(None),
                Some(_) => Err(crate::error::Error::busy("the generation is not in service")),
            },
        };
        let note = |asked: &Asked, base: &super::base::Base, items: &[Item]| {
            entries(base, items)
                .into_iter()
                .try_for_each(|entry| self.keeper.log(&asked.who, entry).map_err(Refusal::Failed))
        };
        let desk = Desk { loaded: &self.loaded, definitions: &self.definitions, view: &view, note: &note };
        let done = desk.change(asked, wish).map_err(|refusal| told(refusal, &asked.who))?;
        if let (Some(_), Some(builds)) = (&done.change, &self.builds)
            && done.items.iter().any(|(_, _, state, _)| *state != State::Draft)
        {
            builds.wake();
        }
        Ok(done)
    }
}

fn what(state: State) -> &'static str {
    match state {
        State::Draft => "draft",
        State::Published => "publish",
        State::Archived => "archive",
    }
}

/// An entry an owner and deed, which the owner's keys see; the change has the rest.
fn summed(items: &[Item], change: u64) -> Vec<Entry> {
    let mut counts: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    for item in items {
        *counts.entry((item.id.owner(), what(item.state))).or_default() += 1;
    }
    let entry = |((owner, what), count)| {
        let (object, after) = (format!("{count} definitions {owner}/*"), Some(format!("change {change}")));
        Entry { what, object, after, ..Entry::default() }
    };
    counts.into_iter().map(entry).collect()
}

/// What the audit trail says of a change.
pub fn entries(base: &super::base::Base, items: &[Item]) -> Vec<Entry> {
    if items.len() > MOST_ENTRIES {
        return summed(items, base.versions.last() + 1);
    }
    let entry = |item: &Item| {
        let last = base.versions.get(item.kind, &item.id).and_then(|history| history.last()).map(|last| last.number);
        Entry {
            what: what(item.state),
            object: format!("{} {}", item.kind, item.id),
            subject: None,
            before: last.map(|number| format!("version {number}")),
            after: Some(format!("version {}", last.unwrap_or(0) + 1)),
        }
    };
    items.iter().map(entry).collect()
}

/// A refusal as the port says it.
fn told(refusal: Refusal, who: &Who) -> Refused {
    match refusal {
        Refusal::Wrong(findings) => {
            let count = findings.len();
            let message =
                format!("the definitions have {count} error{}; nothing was changed", if count == 1 { "" } else { "s" });
            Refused::invalid(message, "mend them and send them again").with_errors(faults(&findings, who))
        }
        Refusal::Breaks(findings) => {
            let message = "definitions that are in force rest on it and would be wrong; nothing was changed";
            let help = "change them first, or all of them in one upload";
            Refused::new(Code::Conflict, message, help).with_errors(faults(&findings, who))
        }
        Refusal::Absent(message) => {
            Refused::new(Code::NotFound, message, "`/api/v1/definitions` lists those that there are")
        }
        Refusal::InFile(held) => {
            let message = match held.first() {
                Some(Held { kind, id, file, line, .. }) => {
                    format!("the {kind} `{id}` is defined in {}:{line}; nothing was changed", file.display())
                }
                None => "it is defined in a file".to_owned(),
            };
            let help = "what a file defines is changed there, or taken out of it first";
            Refused::new(Code::Conflict, message, help).with_errors(held.iter().map(held_fault).collect())
        }
        Refusal::Foreign(named) => {
            let owner = who.owner.as_deref().unwrap_or("*");
            let fault = |(kind, id, line): &(Kind, AudienceId, usize)| Fault {
                code: Some("other-owner".to_owned()),
                detail: format!("the {kind} `{id}` is not of owner `{owner}`"),
                line: (*line > 0).then_some(*line),
                ..Fault::default()
            };
            let message = format!("the key is for owner `{owner}`, and changes nothing of others");
            let help = "leave out what is of others, or use their key";
            Refused::new(Code::PermissionDenied, message, help).with_errors(named.iter().map(fault).collect())
        }
        Refusal::Stale(last) => {
            let message = match last {
                Some(number) => format!("somebody changed it meanwhile: it is at version {number}"),
                None => "there is no version of it".to_owned(),
            };
            Refused::new(
                Code::PreconditionFailed,
                message,
                "read it again, and send it with the `ETag` that comes then",
            )
        }
        Refusal::Busy => Refused::new(Code::Conflict, "others change the catalogue all the time", "send it again"),
        Refusal::Approver(reasons) => {
            let message = match reasons.len() {
                0 => "here only an approver's key publishes (`publishing.approval: all`); nothing was changed",
                _ => {
                    "what must be confirmed only an approver's key publishes (`publishing.approval: confirmed`); nothing was changed"
                }
            };
            let help = "keep it as a draft, and have somebody with a key of role `approver` publish it";
            let faults = reasons.iter().flat_map(|reason| reason_faults(reason, who)).collect();
            Refused::new(Code::PermissionDenied, message, help).with_errors(faults)
        }
        Refusal::Confirm(reasons, token) => {
            let message = "this must be confirmed; nothing was changed";
            let help = format!("look at `errors`; if that is meant, send the same with `confirm`: {token}");
            let mut faults: Vec<Fault> = reasons.iter().flat_map(|reason| reason_faults(reason, who)).collect();
            faults.push(Fault {
                code: Some("confirm".to_owned()),
                detail: token,
                field: Some("confirm".to_owned()),
                ..Fault::default()
            });
            Refused::new(Code::NeedsConfirmation, message, help).with_errors(faults)
        }
        Refusal::Senseless(message, help) => Refused::invalid(message, help),
        Refusal::Failed(error) => refused(&error),
    }
}

fn held_fault(held: &Held) -> Fault {
    let Held { kind, id, file, line, sent } = held;
    Fault {
        code: Some("defined-in-file".to_owned()),
        detail: format!("the {kind} `{id}` is defined in {}:{line}", file.display()),
        help: (*sent > 0).then(|| format!("it is in line {sent} of what was sent")),
        file: Some(file.display().to_string()),
        line: Some(*line),
        ..Fault::default()
    }
}

/// Errors as the port tells them. Of what is of others an owner is told only that there is something.
fn faults(findings: &[Finding], who: &Who) -> Vec<Fault> {
    let mut faults: Vec<Fault> = findings.iter().map(|finding| fault(finding, who)).collect();
    faults.dedup();
    faults
}

/// A reason to confirm, and what is wrong already of what is one's own.
fn reason_faults(reason: &Reason, who: &Who) -> Vec<Fault> {
    let own: Vec<Finding> = reason.wrong.iter().filter(|finding| !is_foreign(finding, who)).cloned().collect();
    [vec![shapes::fault(reason, who)], faults(&own, who)].concat()
}

/// Whether a finding is of what belongs to another owner than who asks.
fn is_foreign(finding: &Finding, who: &Who) -> bool {
    let file = finding.file.to_string_lossy();
    let of_catalogue = file.strip_prefix("catalogue: ").and_then(|name| name.split_once(' '));
    match (&who.owner, of_catalogue) {
        (None, _) => false,
        (Some(own), Some((_, id))) => !id.starts_with(&format!("{own}/")),
        (Some(_), None) => !matches!(&*file, "body" | "upload"),
    }
}

fn fault(finding: &Finding, who: &Who) -> Fault {
    let file = finding.file.display().to_string();
    if is_foreign(finding, who) {
        return Fault {
            code: Some("breaks-others".to_owned()),
            detail: "a definition that is not yours rests on it and would be wrong".to_owned(),
            help: Some("ask whoever it is shared with, or who runs the installation".to_owned()),
            ..Fault::default()
        };
    }
    let detail = match (&who.owner, finding.code) {
        // They name what others' rules rest on.
        (Some(_), "reference-cycle") => "audiences refer to each other in a circle".to_owned(),
        (Some(_), "reference-chain") => "it rests on others through too many references".to_owned(),
        (Some(own), "use-not-permitted")
            if finding.message.starts_with('`') && !finding.message.starts_with(&format!("`{own}/")) =>
        {
            let name = finding.message.split('`').nth(1).unwrap_or_default();
            format!("`{name}` uses what may not be used so")
        }
        _ => finding.message.clone(),
    };
    Fault {
        code: Some(finding.code.to_owned()),
        detail,
        help: (!finding.help.is_empty()).then(|| finding.help.join("; ")),
        field: None,
        file: Some(file),
        line: Some(finding.line),
        column: Some(finding.column),
        length: Some(finding.length).filter(|length| *length > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_change_is_told_to_every_owner_whom_it_concerns() {
        let item = |owner: &str, id: usize, state| Item {
            kind: Kind::Audience,
            id: AudienceId::new(owner, &format!("a{id}")),
            state,
            text: None,
        };
        let items: Vec<Item> = (0..30)
            .map(|id| item("acme", id, State::Published))
            .chain([item("acme", 30, State::Archived), item("globex", 0, State::Published)])
            .collect();
        let told: Vec<_> = summed(&items, 7).into_iter().map(|it| (it.what, it.object, it.after)).collect();
        let after = || Some("change 7".to_owned());
        assert_eq!(
            told,
            [
                ("archive", "1 definitions acme/*".to_owned(), after()),
                ("publish", "30 definitions acme/*".to_owned(), after()),
                ("publish", "1 definitions globex/*".to_owned(), after()),
            ]
        );
    }
}
