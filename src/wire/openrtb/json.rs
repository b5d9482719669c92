//! Bid requests in JSON: what is read where.
//!
//! Contents: [`read`] walks over a body once, validates all of it and takes what we need; [`Place`] and [`splice`] put
//! entries into `user.data`, every other byte as it came.
//!
//! Of duplicate keys the last one counts, for values and for the [`Place`]. Privacy signals are read from all of them: a
//! flag is set if any of them is, sections add up, and a string that is said twice and not the same is
//! [`UNREADABLE`]. What has a wrong type is absent, but numbers are read as identifiers, by their own spelling. A list
//! longer than [`MAX_IDS`], [`MAX_IMPS`], [`MAX_DEALS`] or [`MAX_DATA`] refuses the request: an identifier that we
//! did not read might be one that objected.

use super::scan::Cursor;
use super::signals::{Draft, flag, whole};
use super::walk::{Scanned, Wrong};
use super::{BidRequest, Data, Deal, Imp};
use crate::wire::json::Text;
use smallvec::SmallVec;

pub use super::signals::UNREADABLE;
pub use super::splice::{Place, splice};
pub use super::walk::MAX_DEPTH;

/// The most identifiers of `user.eids` and of `user.ext.eids`.
pub const MAX_IDS: usize = 256;
/// The most impressions of a request.
pub const MAX_IMPS: usize = 1_000;
/// The most deals of an impression.
pub const MAX_DEALS: usize = 1_000;
/// The most entries of `user.data`.
pub const MAX_DATA: usize = 1_000;

/// What a body is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Identifiers, privacy, the entries of `user.data` and the [`Place`] of new ones.
    Enrich,
    /// Identifiers, privacy, impressions with their deals.
    Decide,
}

/// Why a body was refused. It never quotes the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// Validates a whole body and reads what is needed of it. The place is [`Place::NOWHERE`] when nothing is to be put there.
pub fn read(body: &[u8], what: What) -> Result<(BidRequest<'_>, Place), Malformed> {
    let mut request = BidRequest::default();
    let place = read_into(body, what, &mut request)?;
    Ok((request, place))
}

/// The same into a request where it stands, which must be empty: it is large, and moving it costs more than some of the
/// reading.
pub fn read_into<'a>(body: &'a [u8], what: What, request: &mut BidRequest<'a>) -> Result<Place, Malformed> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Malformed { at: error.valid_up_to(), why: "the body is not UTF-8" })?;
    let mut cursor = Cursor::new(text);
    let mut reading = Reading { what, request, place: Place::NOWHERE, older: SmallVec::new() };
    let mut draft = Draft::default();
    match reading.top(&mut cursor, &mut draft) {
        Ok(()) => {
            if !reading.older.is_empty() {
                reading.request.eids.append(&mut reading.older);
            }
            draft.settle(&mut reading.request.privacy);
            Ok(reading.place)
        }
        Err(wrong) => Err(Malformed { at: cursor.at(), why: wrong.why() }),
    }
}

type Pairs<'a> = SmallVec<[(Text<'a>, Text<'a>); 8]>;

/// What was read so far.
struct Reading<'r, 'a> {
    what: What,
    request: &'r mut BidRequest<'a>,
    place: Place,
    /// Of `user.ext.eids`, which come after those of `user.eids`.
    older: Pairs<'a>,
}

impl<'a> Reading<'_, 'a> {
    fn top(&mut self, cursor: &mut Cursor<'a>, draft: &mut Draft<'a>) -> Scanned<()> {
        if cursor.peek() != b'{' {
            return Err(Wrong::Top);
        }
        let start = cursor.at();
        let mut user = false;
        let end = cursor.object(|cursor, key| {
            match key {
                b"id" => self.request.id = cursor.id()?,
                b"tmax" => self.request.tmax_ms = whole(&cursor.id()?),
                b"test" => self.request.test = flag(cursor)?.unwrap_or_default(),
                b"user" => {
                    user = true;
                    self.user(cursor, draft)?;
                }
                b"device" => self.device(cursor, draft)?,
                b"regs" => draft.regs(cursor)?,
                b"imp" if self.what == What::Decide => self.request.imps = imps(cursor)?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        if let Some(end) = end.filter(|_| !user && self.what == What::Enrich) {
            self.place = match end == start + 1 {
                true => Place::new(end, end, "\"user\":{\"data\":[", "]}"),
                false => Place::new(end, end, ",\"user\":{\"data\":[", "]}"),
            };
        }
        cursor.finish()
    }

    fn user(&mut self, cursor: &mut Cursor<'a>, draft: &mut Draft<'a>) -> Scanned<()> {
        (self.request.user_id, self.request.buyeruid) = Default::default();
        self.request.eids.clear();
        self.older.clear();
        self.request.data.clear();
        draft.user_country = Text::default();
        let (start, null) = (cursor.at(), cursor.peek() == b'n');
        let mut data = None;
        let end = cursor.object(|cursor, key| {
            match key {
                b"id" => self.request.user_id = cursor.id()?,
                b"buyeruid" => self.request.buyeruid = cursor.id()?,
                b"consent" => draft.tcf[0].hear(cursor)?,
                b"eids" => eids(cursor, &mut self.request.eids)?,
                b"ext" => self.user_ext(cursor, draft)?,
                b"geo" => draft.user_country = country(cursor)?,
                b"data" if self.what == What::Enrich => data = Some(self.data(cursor)?),
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        if self.what == What::Enrich {
            self.place = match (data, end) {
                (Some(place), _) => place,
                (None, Some(end)) if end == start + 1 => Place::new(end, end, "\"data\":[", "]"),
                (None, Some(end)) => Place::new(end, end, ",\"data\":[", "]"),
                (None, None) if null => Place::new(start, cursor.at(), "{\"data\":[", "]}"),
                (None, None) => Place::NOWHERE,
            };
        }
        Ok(())
    }

    fn user_ext(&mut self, cursor: &mut Cursor<'a>, draft: &mut Draft<'a>) -> Scanned<()> {
        self.older.clear();
        let end = cursor.object(|cursor, key| match key {
            b"consent" => draft.tcf[1].hear(cursor),
            b"eids" => eids(cursor, &mut self.older),
            _ => cursor.skip(),
        });
        end.map(|_| ())
    }

    /// The entries of `user.data`, and the place of new ones behind them.
    fn data(&mut self, cursor: &mut Cursor<'a>) -> Scanned<Place> {
        self.request.data.clear();
        let (start, null) = (cursor.at(), cursor.peek() == b'n');
        let end = cursor.array(|cursor| {
            let mut data = Data::default();
            let object = cursor.object(|cursor, key| {
                match key {
                    b"id" => data.id = cursor.id()?,
                    b"name" => data.name = cursor.id()?,
                    b"ext" => data.taxonomy = taxonomy(cursor)?,
                    _ => cursor.skip()?,
                }
                Ok(())
            })?;
            object.map_or(Ok(()), |_| push(&mut self.request.data, data, MAX_DATA))
        })?;
        Ok(match end {
            Some(end) if end == start + 1 => Place::new(end, end, "", ""),
            Some(end) => Place::new(end, end, ",", ""),
            None if null => Place::new(start, cursor.at(), "[", "]"),
            None => Place::NOWHERE,
        })
    }

    fn device(&mut self, cursor: &mut Cursor<'a>, draft: &mut Draft<'a>) -> Scanned<()> {
        self.request.ifa = Text::default();
        draft.device_country = Text::default();
        let end = cursor.object(|cursor, key| {
            match key {
                b"ifa" => self.request.ifa = cursor.id()?,
                b"lmt" | b"dnt" => draft.lmt.hear(cursor)?,
                b"geo" => draft.device_country = country(cursor)?,
                _ => cursor.skip()?,
            }
            Ok(())
        });
        end.map(|_| ())
    }
}

fn push<A: smallvec::Array>(list: &mut SmallVec<A>, item: A::Item, max: usize) -> Scanned<()> {
    if list.len() == max {
        return Err(Wrong::Many);
    }
    list.push(item);
    Ok(())
}

fn country<'a>(cursor: &mut Cursor<'a>) -> Scanned<Text<'a>> {
    let mut country = Text::default();
    cursor.object(|cursor, key| match key {
        b"country" => cursor.id().map(|said| country = said),
        _ => cursor.skip(),
    })?;
    Ok(country)
}

fn taxonomy(cursor: &mut Cursor<'_>) -> Scanned<Option<u32>> {
    let mut taxonomy = None;
    cursor.object(|cursor, key| match key {
        b"segtax" => cursor.id().map(|number| taxonomy = number.trim().parse().ok()),
        _ => cursor.skip(),
    })?;
    Ok(taxonomy)
}

/// Pairs without a source or without an identifier are nothing.
fn eids<'a>(cursor: &mut Cursor<'a>, pairs: &mut Pairs<'a>) -> Scanned<()> {
    pairs.clear();
    let end = cursor.array(|cursor| {
        let (first, mut source) = (pairs.len(), Text::default());
        cursor.object(|cursor, key| match key {
            b"source" => cursor.id().map(|said| source = said),
            b"uids" => {
                pairs.truncate(first);
                uids(cursor, pairs)
            }
            _ => cursor.skip(),
        })?;
        if source.is_empty() {
            pairs.truncate(first);
        }
        pairs[first..].iter_mut().for_each(|pair| pair.0 = source.clone());
        Ok(())
    });
    end.map(|_| ())
}

/// Without their source, which may come later.
fn uids<'a>(cursor: &mut Cursor<'a>, pairs: &mut Pairs<'a>) -> Scanned<()> {
    let end = cursor.array(|cursor| {
        let mut uid = Text::default();
        cursor.object(|cursor, key| match key {
            b"id" => cursor.id().map(|said| uid = said),
            _ => cursor.skip(),
        })?;
        if uid.is_empty() { Ok(()) } else { push(pairs, (Text::default(), uid), MAX_IDS) }
    });
    end.map(|_| ())
}

fn imps<'a>(cursor: &mut Cursor<'a>) -> Scanned<SmallVec<[Imp<'a>; 2]>> {
    let mut imps = SmallVec::new();
    cursor.array(|cursor| {
        let mut imp = Imp::default();
        let object = cursor.object(|cursor, key| {
            match key {
                b"id" => imp.id = cursor.id()?,
                b"pmp" => imp.deals = pmp(cursor)?,
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        object.map_or(Ok(()), |_| push(&mut imps, imp, MAX_IMPS))
    })?;
    Ok(imps)
}

type Deals<'a> = SmallVec<[Deal<'a>; 4]>;

fn pmp<'a>(cursor: &mut Cursor<'a>) -> Scanned<Deals<'a>> {
    let mut all = Deals::new();
    cursor.object(|cursor, key| match key {
        b"deals" => deals(cursor, &mut all),
        _ => cursor.skip(),
    })?;
    Ok(all)
}

/// A deal without an id is nothing that a verdict could be about.
fn deals<'a>(cursor: &mut Cursor<'a>, deals: &mut Deals<'a>) -> Scanned<()> {
    deals.clear();
    let end = cursor.array(|cursor| {
        let mut deal = Deal::default();
        cursor.object(|cursor, key| {
            match key {
                b"id" => deal.id = cursor.id()?,
                b"guar" => deal.guaranteed = flag(cursor)?.unwrap_or_default(),
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        if deal.id.is_empty() { Ok(()) } else { push(deals, deal, MAX_DEALS) }
    });
    end.map(|_| ())
}
