//! A request's identifiers -> ProfileKeys in the order in which they are tried. Here a raw identifier ends: it is hashed,
//! and neither kept nor logged nor put into an error.

use super::live::Scratch;
use crate::schema::KeyHasher;
use crate::wire::Failure;

/// Source and uid of an identifier.
pub type Eid<'a> = (&'a str, &'a str);

/// How identifiers become keys.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Identifier types in the order in which they are tried, in lower case; others follow in the request's order.
    pub precedence: &'a [String],
    /// The most identifiers a request may carry.
    pub max_ids: usize,
}

impl Rules<'_> {
    /// Refuses a request with too many identifiers.
    pub fn check(&self, count: usize) -> Result<(), Failure> {
        if count > self.max_ids {
            let max = self.max_ids;
            return Err(Failure::invalid(format!("{count} identifiers in one question; at most {max} are accepted")));
        }
        Ok(())
    }

    /// Fills `scratch.keys`. An identifier without source or uid, and a mobile advertising id of zeroes, is none.
    pub fn collect<'i>(
        &self,
        eids: impl Iterator<Item = Eid<'i>>,
        ifa: &'i str,
        keys: &KeyHasher,
        scratch: &mut Scratch,
    ) {
        scratch.ranked.clear();
        scratch.keys.clear();
        for (source, uid) in eids.chain([("ifa", ifa)]) {
            if source.is_empty() || uid.is_empty() || (source.eq_ignore_ascii_case("ifa") && is_zero(uid)) {
                continue;
            }
            let order = scratch.ranked.len() as u32;
            scratch.ranked.push((self.rank(source), order, keys.key(source, uid)));
        }
        scratch.ranked.sort_unstable_by_key(|&(rank, order, _)| (rank, order));
        scratch.keys.extend(scratch.ranked.iter().map(|&(_, _, key)| key));
    }

    fn rank(&self, source: &str) -> u32 {
        let known = self.precedence.iter().position(|name| name.eq_ignore_ascii_case(source));
        known.unwrap_or(self.precedence.len()) as u32
    }
}

/// `00000000-0000-0000-0000-000000000000`: what devices send instead of an advertising id.
fn is_zero(uid: &str) -> bool {
    uid.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(precedence: &[&str], eids: &[Eid<'_>], ifa: &str) -> Vec<&'static str> {
        let precedence: Vec<String> = precedence.iter().map(|name| (*name).to_owned()).collect();
        let (hasher, mut scratch) = (KeyHasher::new([7; 16]), Scratch::default());
        Rules { precedence: &precedence, max_ids: 9 }.collect(eids.iter().copied(), ifa, &hasher, &mut scratch);
        let names = [("a.com", "1"), ("b.com", "2"), ("c.com", "3"), ("ifa", "AB-CD")];
        let name = |key| names.iter().find(|(source, uid)| hasher.key(source, uid) == key).map_or("?", |name| name.0);
        scratch.keys.iter().map(|&key| name(key)).collect()
    }

    #[test]
    fn keys_come_in_the_configured_order_then_in_the_requests() {
        let eids = [("c.com", "3"), ("B.com", "2"), ("a.com", "1")];
        assert_eq!(keys(&[], &eids, "ab-cd"), ["c.com", "b.com", "a.com", "ifa"]);
        assert_eq!(keys(&["ifa", "a.com"], &eids, "ab-cd"), ["ifa", "a.com", "c.com", "b.com"]);
    }

    #[test]
    fn what_is_no_identifier_is_left_out() {
        assert!(keys(&[], &[("", "1"), ("a.com", "")], "").is_empty());
        assert!(keys(&[], &[("IFA", "00000000-0000-0000-0000-000000000000")], "0000").is_empty());
        assert!(Rules { precedence: &[], max_ids: 2 }.check(3).is_err());
        assert!(Rules { precedence: &[], max_ids: 2 }.check(2).is_ok());
    }
}
