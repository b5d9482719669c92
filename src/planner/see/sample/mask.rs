//! What of a person's facts is not told to an owner's key: sensitive traits, values that few have, and the second of an event.

use crate::audiences::rule::{Compare, Literal, Test, TraitTest};
use crate::audiences::{Catalogue, Expr};
use crate::evaluate::{Known, Shown, Tree};
use crate::planner::see::Ground;
use crate::schema::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;

/// In the place of what is not told.
const HIDDEN: &str = "not shown";
/// Times of events are told to the day.
const DAY: i64 = 86_400;

/// Who is told what.
pub(super) struct Mask<'g> {
    ground: &'g Ground<'g>,
    tenant: bool,
    /// How many have a value, by trait and value.
    counts: RefCell<HashMap<(String, String), u64>>,
}

impl<'g> Mask<'g> {
    /// For an owner's key, or for everybody's.
    pub fn new(ground: &'g Ground<'g>, tenant: bool) -> Self {
        Mask { ground, tenant, counts: RefCell::default() }
    }

    /// Hides what may not be told. Truths stay: a rule that holds tells as much as its own text does.
    pub fn hide(&self, tree: &mut Tree) {
        if !self.tenant {
            return;
        }
        tree.parts.iter_mut().for_each(|part| self.hide(part));
        let Some(known) = &mut tree.known else { return };
        let hidden = match known {
            Known::Trait { name, value: Some(value), .. } => !self.may_tell(name, value),
            Known::Event { latest, .. } => {
                latest.iter_mut().for_each(|event| event.at = Timestamp(event.at.0.div_euclid(DAY) * DAY));
                false
            }
            _ => false,
        };
        if hidden {
            (tree.known, tree.fact) = (None, HIDDEN.to_owned());
        } else {
            tree.fact = known.to_string();
        }
    }

    fn may_tell(&self, name: &str, value: &Shown) -> bool {
        let Some((_, decl)) = self.ground.loaded.declarations.find_trait(name) else { return false };
        if decl.sensitive {
            return false;
        }
        let floor = u64::from(self.ground.loaded.config.protection.floor);
        let tests = match value {
            Shown::Flag(value) => vec![Test::Compare(Compare::Eq, Literal::Flag(*value))],
            Shown::Number(value) => vec![Test::Compare(Compare::Eq, Literal::Number(*value))],
            Shown::Text(value) => vec![Test::Compare(Compare::Eq, Literal::Text(value.clone()))],
            Shown::Date(date) => vec![Test::Compare(Compare::Eq, Literal::Date(*date))],
            Shown::Tags(tags) => tags.iter().map(|tag| Test::HasAny(vec![tag.clone()])).collect(),
        };
        tests.into_iter().all(|test| self.count(name, test) >= floor)
    }

    fn count(&self, name: &str, test: Test) -> u64 {
        let rule = Expr::Trait(TraitTest { name: name.to_owned(), test });
        let key = (name.to_owned(), crate::audiences::print(&rule));
        if let Some(count) = self.counts.borrow().get(&key) {
            return *count;
        }
        let counted = self.ground.plan(&[&rule], &Catalogue::default()).survey(&[], self.ground.watch);
        // What cannot be counted is not told.
        let count = counted.and_then(|all| all.first().map(|counted| counted.total)).unwrap_or(0);
        self.counts.borrow_mut().insert(key, count);
        count
    }
}
