//! A request's identifiers -> ProfileKeys in the order in which they are tried. Here a raw identifier ends: it is hashed,
//! and neither kept nor logged nor put into an error.

use super::live::Scratch;
use super::token::{Bound, kind_hash};
use crate::config::{Config, Resolver};
use crate::schema::{KeyHasher, ProfileKey};
use crate::wire::Failure;
use std::borrow::Cow;

/// Source and uid of an identifier.
pub type Eid<'a> = (&'a str, &'a str);

/// The identifier types that the configuration knows, and what the bidstream calls them.
#[derive(Debug, Clone)]
pub struct Sources {
    /// In lower case: those with a precedence, in its order, then the others.
    types: Vec<String>,
    /// How many have a precedence.
    ranked: usize,
    /// Sources of the bidstream that go by another name here, or need resolving.
    renamed: Vec<Renamed>,
}

#[derive(Debug, Clone)]
struct Renamed {
    source: String,
    kind: String,
    resolver: Resolver,
}

impl Sources {
    /// What the configuration says.
    pub fn new(config: &Config) -> Self {
        let lower = |name: &str| name.to_ascii_lowercase();
        let bid_sources = config.identity.bid_sources.iter().map(|it| Renamed {
            source: lower(&it.source),
            kind: lower(it.kind.as_deref().unwrap_or(&it.source)),
            resolver: it.resolver,
        });
        let renamed: Vec<Renamed> = bid_sources.collect();
        let mut types: Vec<String> = Vec::new();
        let mut know = |name: &str| {
            if !types.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                types.push(lower(name));
            }
        };
        config.identity.precedence.iter().for_each(|name| know(name));
        let columns = config.sources.iter().flat_map(|source| &source.ids);
        let occurs = |name: &str, said: Option<bool>| said.unwrap_or(name.contains('.')) && !name.starts_with('$');
        columns.filter(|column| occurs(&column.kind, column.bid)).for_each(|column| know(&column.kind));
        let by_door = config.ingest.ids.iter().filter(|it| occurs(&it.kind, it.bid));
        by_door.for_each(|it| know(&it.kind));
        renamed.iter().for_each(|it| know(&it.kind));
        for caller in config.callers.iter().chain(&config.public) {
            let user_id = caller.user_id.as_ref().or(caller.exchange.as_ref());
            user_id.into_iter().chain(&caller.buyeruid).for_each(|name| know(name));
        }
        know("ifa");
        let has_rank =
            |name: &String| config.identity.precedence.iter().any(|ranked| ranked.eq_ignore_ascii_case(name));
        let ranked = types.iter().take_while(|name| has_rank(name)).count();
        Sources { types, ranked, renamed }
    }

    /// The names in metrics, by number: the types, then what is none of them.
    pub fn names(&self) -> Vec<String> {
        self.types.iter().cloned().chain(["other".to_owned()]).collect()
    }

    /// The name of the type whose short hash this is.
    pub(super) fn of_hash(&self, hash: u32) -> Option<&str> {
        self.types.iter().map(String::as_str).find(|name| kind_hash(name) == hash)
    }

    /// What tells of an identifier later: `None` where its type is not configured.
    pub(super) fn bound(&self, id: &Ranked) -> Option<Bound> {
        Some((id.key, kind_hash(self.types.get(id.source)?)))
    }

    /// The number of a type; that of `other` for one that is not configured.
    fn number(&self, kind: &str) -> usize {
        let known = self.types.iter().position(|name| name.eq_ignore_ascii_case(kind));
        known.unwrap_or(self.types.len())
    }

    /// What the bidstream's identifier is here; `None` = it cannot be resolved.
    fn resolve<'a>(&'a self, (source, uid): Eid<'a>) -> Option<(&'a str, Cow<'a, str>)> {
        match self.renamed.iter().find(|it| it.source.eq_ignore_ascii_case(source)) {
            Some(renamed) => Some((&renamed.kind, resolve(renamed.resolver, uid)?)),
            None => Some((source, Cow::Borrowed(uid))),
        }
    }
}

/// What a uid of the bidstream stands for; `None` = it cannot be told (now).
fn resolve(resolver: Resolver, uid: &str) -> Option<Cow<'_, str>> {
    match resolver {
        Resolver::Plain => Some(Cow::Borrowed(uid)),
    }
}

/// An identifier of a request, hashed.
#[derive(Debug, Clone, Copy)]
pub struct Ranked {
    rank: usize,
    order: u32,
    key: ProfileKey,
    /// The number of its type in [`Sources::names`].
    pub source: usize,
}

/// How identifiers become keys.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The types, in the order in which they are tried; others follow in the request's order.
    pub sources: &'a Sources,
    /// The most identifiers a request may carry.
    pub max_ids: usize,
}

impl Rules<'_> {
    /// Refuses a request with too many identifiers.
    pub fn check(&self, count: usize) -> Result<(), Failure> {
        if count > self.max_ids {
            let max = self.max_ids;
            return Err(Failure::invalid(format!(
                "{count} identifiers in one question; at most {max} are accepted (server.max_ids)"
            )));
        }
        Ok(())
    }

    /// Fills `scratch.ranked` and, in the same order, `scratch.keys`. An identifier without source or uid, and a mobile
    /// advertising id of zeroes, is none.
    pub fn collect<'i>(
        &self,
        eids: impl Iterator<Item = Eid<'i>>,
        ifa: &'i str,
        keys: &KeyHasher,
        scratch: &mut Scratch,
    ) {
        scratch.ranked.clear();
        scratch.keys.clear();
        for eid in eids.chain([("ifa", ifa)]) {
            if eid.0.is_empty() || eid.1.is_empty() {
                continue;
            }
            let Some((kind, uid)) = self.sources.resolve(eid) else { continue };
            if kind.eq_ignore_ascii_case("ifa") && is_zero(&uid) {
                continue;
            }
            let source = self.sources.number(kind);
            let (rank, order) = (source.min(self.sources.ranked), scratch.ranked.len() as u32);
            scratch.ranked.push(Ranked { rank, order, key: keys.key(kind, &uid), source });
        }
        scratch.ranked.sort_unstable_by_key(|it| (it.rank, it.order));
        scratch.keys.extend(scratch.ranked.iter().map(|it| it.key));
    }
}

/// `00000000-0000-0000-0000-000000000000`: what devices send instead of an advertising id.
fn is_zero(uid: &str) -> bool {
    uid.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BidSource;

    fn sources(precedence: &[&str]) -> Sources {
        let mut config = Config::default();
        config.identity.precedence = precedence.iter().map(|name| (*name).to_owned()).collect();
        let kind = Some("a.com".to_owned());
        config.identity.bid_sources = vec![BidSource { source: "A-alias".to_owned(), kind, resolver: Resolver::Plain }];
        Sources::new(&config)
    }

    fn keys(precedence: &[&str], eids: &[Eid<'_>], ifa: &str) -> Vec<&'static str> {
        let (hasher, mut scratch) = (KeyHasher::new([7; 16]), Scratch::default());
        let rules = Rules { sources: &sources(precedence), max_ids: 9 };
        rules.collect(eids.iter().copied(), ifa, &hasher, &mut scratch);
        let names = [("a.com", "1"), ("b.com", "2"), ("c.com", "3"), ("ifa", "AB-CD")];
        let name = |key| names.iter().find(|(source, uid)| hasher.key(source, uid) == key).map_or("?", |name| name.0);
        scratch.keys.iter().map(|&key| name(key)).collect()
    }

    #[test]
    fn keys_come_in_the_configured_order_then_in_the_requests() {
        let eids = [("c.com", "3"), ("B.com", "2"), ("a.com", "1")];
        assert_eq!(keys(&[], &eids, "ab-cd"), ["c.com", "b.com", "a.com", "ifa"]);
        assert_eq!(keys(&["ifa", "A.com"], &eids, "ab-cd"), ["ifa", "a.com", "c.com", "b.com"]);
    }

    #[test]
    fn what_is_no_identifier_is_left_out() {
        assert!(keys(&[], &[("", "1"), ("a.com", "")], "").is_empty());
        assert!(keys(&[], &[("IFA", "00000000-0000-0000-0000-000000000000")], "0000").is_empty());
        let rules = Rules { sources: &sources(&[]), max_ids: 2 };
        assert!(rules.check(3).is_err());
        assert!(rules.check(2).is_ok());
    }

    #[test]
    fn a_source_of_the_bidstream_goes_by_its_name_here() {
        assert_eq!(keys(&["a.com"], &[("b.com", "2"), ("a-ALIAS", "1")], ""), ["a.com", "b.com"]);
        let sources = sources(&["b.com"]);
        assert_eq!(sources.names(), ["b.com", "a.com", "ifa", "other"]);
        assert_eq!((sources.number("IFA"), sources.number("x.com")), (2, 3));
    }
}
