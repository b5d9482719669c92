//! Permitted uses: whom to target may be told only by data that may be used to target, through references too.

use super::{Found, reference_span};
use crate::audiences::definitions::Drafts;
use crate::audiences::definitions::audience::{AudienceDraft, RuleDraft};
use crate::audiences::order::{evaluation_order, references};
use crate::audiences::typecheck::visit;
use crate::audiences::{AudienceKind, Catalogue, Diagnostic, Expr};
use crate::schema::{Declarations, ListSource, Use};

/// The first forbidden thing that an audience rests on: `the trait ...`.
type Forbidden = Option<String>;

/// Checks every audience for its own kind's use, and the excludes of campaigns for suppression.
pub(super) fn check(catalogue: &Catalogue, drafts: &Drafts, declarations: &Declarations, found: &mut Found) {
    let targeting = forbidden(catalogue, declarations, Use::Target);
    let suppressing = forbidden(catalogue, declarations, Use::Suppress);
    for (at, draft) in drafts.audiences.iter().enumerate() {
        let (used, forbidden) = match draft.audience.kind {
            AudienceKind::Target => ("target", &targeting),
            AudienceKind::Suppress => ("suppress", &suppressing),
        };
        if forbidden[at].is_some() {
            complain(catalogue, draft, declarations, used, forbidden, found);
        }
    }
    for draft in &drafts.campaigns {
        for (exclude, span) in draft.campaign.exclude.iter().zip(&draft.exclude_spans) {
            let Some(at) = catalogue.number(&exclude.audience) else { continue };
            let target = catalogue.audiences[at as usize].kind == AudienceKind::Target;
            if let (true, Some(what)) = (target, &suppressing[at as usize]) {
                let message = format!(
                    "`{}` cannot be excluded: it uses {what}, which may not be used to suppress",
                    exclude.audience
                );
                found.push((draft.file, Diagnostic::error("use-not-permitted", span.clone(), message).help(HELP)));
            }
        }
    }
}

const HELP: &str = "permitted uses are declared as `uses` of the trait or its source in the configuration";

/// For each audience the first thing it rests on that may not be used so.
fn forbidden(catalogue: &Catalogue, declarations: &Declarations, wanted: Use) -> Vec<Forbidden> {
    let references = references(catalogue);
    let mut out: Vec<Forbidden> = vec![None; catalogue.audiences.len()];
    for at in evaluation_order(catalogue) {
        let audience = &catalogue.audiences[at as usize];
        let own = match &audience.rule {
            Some(rule) => {
                let leaves = crate::audiences::rule::leaves(&rule.0);
                let a_trait = leaves.traits.into_iter().find(|name| !trait_permits(declarations, name, wanted));
                let an_event = leaves.events.into_iter().find(|name| !event_permits(declarations, name, wanted));
                a_trait.map(|name| format!("the trait `{name}`")).or(an_event.map(|name| format!("the event `{name}`")))
            }
            None => (!lists_permit(declarations, audience.id.as_str(), wanted))
                .then(|| format!("the uploaded list `{}`", audience.id)),
        };
        let inherited = references[at as usize].iter().find_map(|other| out[*other as usize].clone());
        out[at as usize] = own.or(inherited);
    }
    out
}

fn trait_permits(declarations: &Declarations, name: &str, wanted: Use) -> bool {
    declarations.find_trait(name).is_none_or(|(_, decl)| decl.uses.contains(&wanted))
}

fn event_permits(declarations: &Declarations, name: &str, wanted: Use) -> bool {
    declarations.find_event(name).is_none_or(|(_, decl)| decl.uses.contains(&wanted))
}

/// Every source that is declared for this list must permit the use. Of sources whose rows name their lists one is enough:
/// what they feed is known only when their rows are read.
fn lists_permit(declarations: &Declarations, list: &str, wanted: Use) -> bool {
    let permits = |source: &&ListSource| source.uses.contains(&wanted);
    let (own, any): (Vec<_>, Vec<_>) = declarations
        .list_sources
        .values()
        .filter(|source| source.list.as_deref().is_none_or(|own| own == list))
        .partition(|source| source.list.is_some());
    own.iter().all(permits) && (!own.is_empty() || any.is_empty() || any.iter().any(permits))
}

/// An error at each trait, event and reference of a rule that is forbidden.
fn complain(
    catalogue: &Catalogue,
    draft: &AudienceDraft,
    declarations: &Declarations,
    used: &str,
    forbidden: &[Forbidden],
    found: &mut Found,
) {
    let wanted = if used == "target" { Use::Target } else { Use::Suppress };
    let mut say = |span, what: &str| {
        let message = format!("{what} may not be used to {used}");
        found.push((draft.file, Diagnostic::error("use-not-permitted", span, message).help(HELP)));
    };
    let Some(RuleDraft { parsed, place, .. }) = &draft.rule else {
        return say(draft.id_span.clone(), "what the sources of uploaded lists deliver");
    };
    let mut references = Vec::new();
    visit(parsed, &mut |expr, spans| match expr {
        Expr::Trait(test) if !trait_permits(declarations, &test.name, wanted) => {
            say(place.map(&spans.name), &format!("the trait `{}`", test.name));
        }
        Expr::Event(test) if !event_permits(declarations, &test.name, wanted) => {
            say(place.map(&spans.name), &format!("the event `{}`", test.name));
        }
        Expr::InAudience(id) if !references.contains(&id) => references.push(id),
        _ => {}
    });
    for id in references {
        let what = catalogue.number(id).and_then(|at| forbidden[at as usize].as_ref());
        if let (Some(what), Some(span)) = (what, reference_span(draft, id)) {
            say(span, &format!("`{id}` uses {what}, which"));
        }
    }
}
