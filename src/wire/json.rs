//! The bodies of the HTTP doors, borrowed from the bytes of the request.
//!
//! Unknown fields are skipped. Flags are accepted as they occur in practice: `1`, `"1"`, `true`. What cannot be read as
//! a flag counts as set, because every flag here takes a right away from us.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// `POST /v1/lookup` and `POST /v1/decide`: the latter adds `campaigns` and `channel`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Question<'a> {
    /// Identifiers.
    #[serde(borrow)]
    pub eids: Option<Vec<Eid<'a>>>,
    /// The mobile advertising id.
    #[serde(borrow)]
    pub ifa: Text<'a>,
    /// Privacy signals.
    #[serde(borrow)]
    pub privacy: Option<Privacy<'a>>,
    /// Milliseconds the answer is worth waiting for; 0 = no limit.
    pub tmax_ms: Option<u64>,
    /// Decide: which campaigns are asked about.
    #[serde(borrow)]
    pub campaigns: Option<Vec<Text<'a>>>,
}

/// An identifier.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Eid<'a> {
    /// Its source, such as `uidapi.com`.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// The identifier itself.
    #[serde(borrow)]
    pub uid: Text<'a>,
}

/// Privacy signals.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Privacy<'a> {
    /// Whether GDPR applies.
    pub gdpr: Flag,
    /// The TCF string.
    #[serde(borrow)]
    pub tcf: Text<'a>,
    /// The GPP string.
    #[serde(borrow)]
    pub gpp: Text<'a>,
    /// The GPP sections that apply.
    pub gpp_sid: Sections,
    /// The US privacy string.
    #[serde(borrow)]
    pub us_privacy: Text<'a>,
    /// Global Privacy Control.
    pub gpc: Flag,
    /// Children's privacy applies.
    pub coppa: Flag,
    /// Limited ad tracking.
    pub lmt: Flag,
    /// Where the user is: ISO 3166, two or three letters.
    #[serde(borrow)]
    pub country: Text<'a>,
}

/// A string, borrowed where it holds no escapes (`Option<Cow>` never is); `null` and absence are the empty string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
}

/// A flag as it occurs: absent, or set or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0, 1, false, true or one of these in quotes")
    }

    fn visit_bool<E>(self, set: bool) -> Result<Flag, E> {
        Ok(Flag(Some(set)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Flag, E> {
        Ok(Flag(Some(number != 0)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Flag, E> {
        Ok(Flag(Some(number != 0)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Flag, E> {
        Ok(Flag(Some(number != 0.0)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Flag, E> {
        let text = text.trim();
        Ok(Flag((!text.is_empty()).then(|| text != "0" && !text.eq_ignore_ascii_case("false"))))
    }

    fn visit_unit<E>(self) -> Result<Flag, E> {
        Ok(Flag(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Flag, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Flag(Some(true)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flag, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Flag(Some(true)))
    }
}

/// The GPP sections that apply: `[2]`, `["2"]`, `2`, `"2,7"`; `None` = the request does not say. Negative ids mean
/// that none does, 0 that it is not known. What cannot be read is [`Sections::UNREADABLE`]: a section that nobody can decode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections(pub Option<SmallVec<[i32; 8]>>);

impl Sections {
    /// Stands for what is no section's number.
    pub const UNREADABLE: i32 = i32::MAX;
    /// The most that are kept; there are not half as many sections. Of more, the last that is kept is unreadable: what is
    /// left out might apply.
    pub const MAX: usize = 64;

    fn one(id: i32) -> Self {
        Sections(Some(SmallVec::from_slice(&[id])))
    }

    /// Adds what is said elsewhere.
    pub(super) fn join(&mut self, other: Sections) {
        if let Some(ids) = other.0 {
            self.add(&ids);
        }
    }

    /// Adds some, or none.
    pub(super) fn add(&mut self, ids: &[i32]) {
        let all = self.0.get_or_insert_default();
        let room = Self::MAX - all.len();
        all.extend_from_slice(&ids[..ids.len().min(room)]);
        if let Some(last) = all.last_mut().filter(|_| ids.len() > room) {
            *last = Self::UNREADABLE;
        }
    }
}

impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SectionsVisitor)
    }
}

struct SectionsVisitor;

impl<'de> Visitor<'de> for SectionsVisitor {
    type Value = Sections;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of section numbers")
    }

    fn visit_bool<E>(self, any: bool) -> Result<Sections, E> {
        Ok(Sections::one(if any { Sections::UNREADABLE } else { 0 }))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Sections, E> {
        Ok(Sections::one(number.try_into().unwrap_or(if number > 0 { Sections::UNREADABLE } else { 0 })))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Sections, E> {
        Ok(Sections::one(number.try_into().unwrap_or(Sections::UNREADABLE)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Sections, E> {
        // A float's cast saturates: what is too large for a number of a section is unreadable.
        Ok(Sections::one(if number.fract() == 0.0 { number as i32 } else { Sections::UNREADABLE }))
    }

    fn visit_str<E>(self, text: &str) -> Result<Sections, E> {
        let mut sections = Sections::default();
        for part in text.split([',', '_', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
            sections.add(&[part.parse().unwrap_or(Sections::UNREADABLE)]);
        }
        Ok(sections)
    }

    fn visit_unit<E>(self) -> Result<Sections, E> {
        Ok(Sections(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sections, A::Error> {
        let mut sections = Sections(Some(SmallVec::new()));
        while let Some(inner) = seq.next_element::<Sections>()? {
            sections.add(inner.0.as_deref().unwrap_or_default());
        }
        Ok(sections)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sections, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sections::one(Sections::UNREADABLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privacy(json: &str) -> Privacy<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn flags_are_read_in_every_form_in_use() {
        for set in ["1", "\"1\"", "true", "\"true\"", "2", "\"yes\"", "1.0", "[1]", "{}"] {
            assert_eq!(privacy(&format!("{{\"gdpr\":{set}}}")).gdpr, Flag(Some(true)), "{set}");
        }
        for unset in ["0", "\"0\"", "false", "\"False\"", "0.0"] {
            assert_eq!(privacy(&format!("{{\"gdpr\":{unset}}}")).gdpr, Flag(Some(false)), "{unset}");
        }
        for absent in ["{}", "{\"gdpr\":null}", "{\"gdpr\":\"\"}", "{\"other\":{\"x\":[1]}}"] {
            assert_eq!(privacy(absent).gdpr, Flag(None), "{absent}");
        }
    }

    #[test]
    fn gpp_sections_are_read_in_every_form_in_use() {
        #[derive(Deserialize)]
        struct Privacy {
            gpp_sid: Sections,
        }
        let privacy = |ids: &str| serde_json::from_str::<Privacy>(&format!("{{\"gpp_sid\":{ids}}}")).unwrap();
        let read = |ids: &str| privacy(ids).gpp_sid.0.map(SmallVec::into_vec);
        assert_eq!(read("[2, \"7\", 6.0]"), Some(vec![2, 7, 6]));
        assert_eq!(read("\"2,x\""), Some(vec![2, Sections::UNREADABLE]));
        let [mut most, mut many] = [vec![-1; Sections::MAX], vec![-1; Sections::MAX]];
        assert_eq!(read(&format!("{most:?}")), Some(most.clone()));
        many.push(2);
        most[Sections::MAX - 1] = Sections::UNREADABLE;
        assert_eq!(read(&format!("{many:?}")), Some(most), "what is left out might apply");
        for applies in ["[2]", "[\"2\"]", "7", "\"2,7\"", "\"2_7\"", "[-1,6]", "\"x\""] {
            let privacy = privacy(applies);
            assert!(privacy.gpp_sid.0.is_some_and(|ids| ids.iter().any(|&id| id > 0)), "{applies}");
        }
        for not in ["[]", "[0]", "[-1]", "null", "\"\"", "\"-1\"", "0"] {
            assert!(privacy(not).gpp_sid.0.is_none_or(|ids| ids.iter().all(|&id| id <= 0)), "{not}");
        }
    }

    #[test]
    fn questions_tolerate_unknown_fields_and_escapes() {
        let text = r#"{"id":"r","eids":[{"source":"a.com","uid":"x\"y","atype":1}],"ifa":"i","ext":{"a":[{}]}}"#;
        let question: Question<'_> = serde_json::from_str(text).unwrap();
        let eids = question.eids.unwrap();
        assert_eq!((&*eids[0].source, &*eids[0].uid), ("a.com", "x\"y"));
        assert!(matches!(eids[0].source.0, Cow::Borrowed(_)) && matches!(question.ifa.0, Cow::Borrowed("i")));
        assert!(question.privacy.is_none() && question.campaigns.is_none());
    }
}
