//! For how long what comes by the doors may be used: what is past that when it is read counts nowhere, as in a build.

use crate::log::{Record, Said};
use crate::schema::{Declarations, Timestamp};
use std::borrow::Cow;
use std::collections::HashMap;

const DAY: i64 = 86_400;

/// Seconds by name, of those that have an end.
#[derive(Debug, Default)]
pub(super) struct Retention {
    events: HashMap<Box<str>, i64>,
    traits: HashMap<Box<str>, i64>,
}

impl Retention {
    /// As declared.
    pub fn of(declarations: &Declarations) -> Self {
        let seconds = |name: &str, days: Option<u32>| Some((name.into(), i64::from(days?) * DAY));
        Retention {
            events: declarations.events.iter().filter_map(|it| seconds(&it.name, it.retention_days)).collect(),
            traits: declarations.traits.iter().filter_map(|it| seconds(&it.name, it.retention_days)).collect(),
        }
    }

    /// What of a record still counts at `now`. That a trait is not known any more always does.
    pub fn left<'r, 'a>(&self, record: &'r Record<'a>, now: Timestamp) -> Option<Cow<'r, Record<'a>>> {
        let is_past = |kept: Option<&i64>| kept.is_some_and(|kept| record.time < now.0.saturating_sub(*kept));
        match &record.said {
            Said::Event { name, .. } if !self.events.is_empty() && is_past(self.events.get(&**name)) => None,
            Said::Traits(traits) if !self.traits.is_empty() => {
                let stays = |name: &str, is_known: bool| !is_known || !is_past(self.traits.get(name));
                if traits.iter().all(|(name, value)| stays(name, value.is_some())) {
                    return Some(Cow::Borrowed(record));
                }
                let mut left = traits.clone();
                left.retain(|(name, value)| stays(name, value.is_some()));
                if left.is_empty() {
                    return None;
                }
                Some(Cow::Owned(Record { said: Said::Traits(left), keys: record.keys.clone(), ..*record }))
            }
            _ => Some(Cow::Borrowed(record)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Value;
    use crate::schema::{TraitDecl, TraitKind};
    use smallvec::SmallVec;

    #[test]
    fn of_several_traits_those_stay_that_may_be_used() {
        let decl = |name: &str, retention_days| TraitDecl {
            name: name.to_owned(),
            kind: TraitKind::Flag,
            values: Vec::new(),
            uses: Vec::new(),
            sensitive: false,
            legal_basis: None,
            retention_days,
            sources: Vec::new(),
        };
        let traits = vec![decl("long", Some(30)), decl("short", Some(1))];
        let retention = Retention::of(&Declarations { traits, ..Declarations::default() });
        let said = |traits: &[(&'static str, Option<bool>)]| {
            Said::Traits(traits.iter().map(|(name, flag)| ((*name).into(), flag.map(Value::Flag))).collect())
        };
        let left = |traits: &[(&'static str, Option<bool>)], age: i64| {
            let record = Record { id: 1, time: -age, received: 0, keys: SmallVec::new(), said: said(traits) };
            retention.left(&record, Timestamp(0)).map(|record| record.into_owned().said)
        };
        let both = [("long", Some(true)), ("short", Some(true)), ("other", None)];
        assert_eq!(left(&both, DAY), Some(said(&both)));
        assert_eq!(left(&both, DAY + 1), Some(said(&[both[0], both[2]])));
        assert_eq!(left(&both[..2], 31 * DAY), None);
        assert_eq!(left(&[("short", None)], 31 * DAY), Some(said(&[("short", None)])), "that it is gone still counts");
    }
}
