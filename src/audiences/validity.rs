//! From when to when audiences count. Outside of it nobody is in one, and nobody is in it for the rules that refer to it either:
//! as if its rule held for nobody.

use super::{Audience, Catalogue, Expr, Rule};
use crate::schema::Timestamp;
use std::borrow::Cow;

impl Catalogue {
    /// The audiences as they are evaluated where nobody is in the closed ones; numbers stay.
    pub fn without(&self, closed: impl Fn(usize, &Audience) -> bool) -> Cow<'_, Catalogue> {
        let mut catalogue = Cow::Borrowed(self);
        for (number, audience) in self.audiences.iter().enumerate().filter(|(number, it)| closed(*number, it)) {
            let nobody = Rule(Expr::Not(Box::new(Expr::Everyone)));
            catalogue.to_mut().audiences[number] = Audience { rule: Some(nobody), ..audience.clone() };
        }
        catalogue
    }

    /// The same at an instant.
    pub fn valid_at(&self, now: Timestamp) -> Cow<'_, Catalogue> {
        self.without(|_, audience| !audience.is_valid(now))
    }

    /// Whether an audience has begun or ceased to count since somebody found these closed, by number.
    pub fn is_past_boundary(&self, closed: impl Iterator<Item = bool>, now: Timestamp) -> bool {
        self.audiences.iter().zip(closed).any(|(audience, closed)| audience.is_valid(now) == closed)
    }

    /// The next instant after `now` at which an audience begins or ceases to count.
    pub fn next_boundary(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.audiences.iter().flat_map(|audience| [audience.valid_from, audience.valid_to]);
        ends.flatten().filter(|end| *end > now).min()
    }
}

impl Audience {
    /// What is said of it while nobody is in it because of its validity; `None` while it counts.
    pub fn closed(&self, now: Timestamp) -> Option<String> {
        if self.is_valid(now) {
            return None;
        }
        let from = self.valid_from.filter(|from| now < *from);
        Some(match (from, self.valid_to) {
            (Some(from), _) => format!("valid from {from} on: nobody is in it until then"),
            (None, Some(to)) => format!("valid until {to}: nobody is in it any more"),
            (None, None) => "not valid: nobody is in it".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiences::definitions::check;
    use crate::schema::Declarations;

    const TEXT: &str = "
audiences:
- { id: always, owner: o, kind: target, rule: everyone }
- { id: season, owner: o, kind: target, rule: everyone, valid_from: 2026-12-01, valid_to: 2026-12-24 }
- { id: both, owner: o, kind: target, rule: in audience season }
";

    #[test]
    fn nobody_is_in_it_before_and_after() {
        let checked = check(&[("f.yaml".into(), TEXT.to_owned())], &Declarations::default(), &jiff::tz::TimeZone::UTC);
        let catalogue = checked.catalogue.unwrap();
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let (from, to) = (at("2026-12-01T00:00:00Z"), at("2026-12-25T00:00:00Z"));
        let nobody = |now: Timestamp| -> Vec<bool> {
            let valid = catalogue.valid_at(now);
            valid.audiences.iter().zip(&catalogue.audiences).map(|(now, defined)| now.rule != defined.rule).collect()
        };
        let before = Timestamp(from.0 - 1);
        assert_eq!(nobody(before), [false, false, true]);
        assert_eq!(nobody(from), [false; 3]);
        assert_eq!(nobody(Timestamp(to.0 - 1)), [false; 3]);
        assert_eq!(nobody(to), [false, false, true]);
        assert!(matches!(catalogue.valid_at(from), Cow::Borrowed(_)), "nothing is copied where everything counts");
        let boundaries = [before, from, Timestamp(to.0 - 1), to].map(|now| catalogue.next_boundary(now));
        assert_eq!(boundaries, [Some(from), Some(to), Some(to), None]);
        let closed = |now| catalogue.audiences.iter().map(move |audience| !audience.is_valid(now));
        assert!(!catalogue.is_past_boundary(closed(from), from) && catalogue.is_past_boundary(closed(from), to));
        assert!(catalogue.is_past_boundary(closed(before), from));
        let said = [before, from, to].map(|now| catalogue.audiences[2].closed(now));
        assert_eq!(said[0].as_deref(), Some("valid from 2026-12-01T00:00:00Z on: nobody is in it until then"));
        assert_eq!(said[1], None);
        assert_eq!(said[2].as_deref(), Some("valid until 2026-12-25T00:00:00Z: nobody is in it any more"));
    }
}
