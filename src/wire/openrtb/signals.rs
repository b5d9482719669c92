//! Privacy signals of a JSON body: heard wherever they are said, and put together at the end.

use super::Signals;
use super::scan::Cursor;
use super::walk::Scanned;
use crate::wire::json::{Flag, Sections, Text};
use std::borrow::Cow;
use std::mem::take;

/// Stands for a privacy string that nobody can decode.
pub const UNREADABLE: &str = "?";

/// The signals as far as they were heard; of two places, the one that goes before comes first.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub tcf: [Said<'a>; 2],
    pub lmt: Raised,
    pub device_country: Text<'a>,
    pub user_country: Text<'a>,
    gpp: [Said<'a>; 2],
    us_privacy: [Said<'a>; 2],
    gpp_sid: [Sections; 2],
    gdpr: Raised,
    gpc: Raised,
    coppa: Raised,
}

impl<'a> Draft<'a> {
    /// `regs`
    pub fn regs(&mut self, cursor: &mut Cursor<'a>) -> Scanned<()> {
        let end = cursor.object(|cursor, key| match key {
            b"ext" => cursor.object(|cursor, key| self.regulation(cursor, key, 1)).map(|_| ()),
            _ => self.regulation(cursor, key, 0),
        });
        end.map(|_| ())
    }

    fn regulation(&mut self, cursor: &mut Cursor<'a>, key: &[u8], place: usize) -> Scanned<()> {
        match key {
            b"gdpr" => self.gdpr.hear(cursor),
            b"gpc" => self.gpc.hear(cursor),
            b"coppa" => self.coppa.hear(cursor),
            b"gpp" => self.gpp[place].hear(cursor),
            b"us_privacy" => self.us_privacy[place].hear(cursor),
            b"gpp_sid" => {
                self.gpp_sid[place].join(sections(cursor.raw()?));
                Ok(())
            }
            _ => cursor.skip(),
        }
    }

    /// Puts them together.
    pub fn settle(&mut self, signals: &mut Signals<'a>) {
        let [sections, older] = &mut self.gpp_sid;
        let country = if self.device_country.is_empty() { &mut self.user_country } else { &mut self.device_country };
        signals.gdpr = self.gdpr.0;
        signals.tcf = first(&mut self.tcf);
        signals.gpp = first(&mut self.gpp);
        // An empty list says nothing, and must not hide what the other place says.
        let empty = sections.0.as_ref().is_none_or(|ids| ids.is_empty());
        signals.gpp_sid = take(if empty { older } else { sections });
        signals.us_privacy = first(&mut self.us_privacy);
        signals.gpc = self.gpc.0;
        signals.coppa = self.coppa.0;
        signals.lmt = self.lmt.0;
        signals.country = take(country);
    }
}

fn first<'a>([said, older]: &mut [Said<'a>; 2]) -> Text<'a> {
    let said = said.0.take().unwrap_or_default();
    if said.is_empty() { older.0.take().unwrap_or_default() } else { said }
}

/// A string, as often as it is said.
#[derive(Default)]
pub(super) struct Said<'a>(Option<Text<'a>>);

impl<'a> Said<'a> {
    /// What is neither a string nor a number is unreadable, as two that differ are; `null` is the empty string.
    pub fn hear(&mut self, cursor: &mut Cursor<'a>) -> Scanned<()> {
        let readable = matches!(cursor.peek(), b'"' | b'-' | b'0'..=b'9' | b'n');
        let text = cursor.id()?;
        let same = readable && self.0.as_ref().is_none_or(|before| *before == text);
        self.0 = Some(if same { text } else { Text(Cow::Borrowed(UNREADABLE)) });
        Ok(())
    }
}

/// A flag, as often as it is said: set if it is once.
#[derive(Default)]
pub(super) struct Raised(Option<bool>);

impl Raised {
    pub fn hear(&mut self, cursor: &mut Cursor<'_>) -> Scanned<()> {
        let set = flag(cursor)?;
        self.0 = self.0.max(set);
        Ok(())
    }
}

/// A flag; what cannot be read as one counts as set.
pub(super) fn flag(cursor: &mut Cursor<'_>) -> Scanned<Option<bool>> {
    Ok(match cursor.raw()? {
        "0" => Some(false),
        "1" => Some(true),
        other => serde_json::from_str::<Flag>(other).map_or(Some(true), |flag| flag.0),
    })
}

fn sections(json: &str) -> Sections {
    serde_json::from_str(json).unwrap_or_else(|_| Sections(Some([Sections::UNREADABLE].as_slice().into())))
}

/// A whole number of at most 32 bits, cut to that; 0 if it is none.
pub(super) fn whole(number: &str) -> u64 {
    let number = number.trim();
    let whole = number.parse().unwrap_or_else(|_| number.parse::<f64>().unwrap_or_default() as u64);
    whole.min(u32::MAX.into())
}
