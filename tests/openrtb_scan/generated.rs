//! Bodies made from choices: mostly a bid request's shape, with every spelling, order and duplication that JSON allows,
//! and a share of nonsense. Fewer choices make a smaller body, so failures shrink.

use super::agree;
use proptest::prelude::*;

#[derive(Clone, Copy)]
enum Kind {
    Leaf,
    Object(&'static [(&'static str, Kind)]),
    Array(&'static Kind),
}
use Kind::{Array, Leaf, Object};

const TOP: &[(&str, Kind)] = &[
    ("user", Object(USER)),
    ("regs", Object(REGS)),
    ("device", Object(DEVICE)),
    ("imp", Array(&Object(IMP))),
    ("id", Leaf),
    ("tmax", Leaf),
    ("test", Leaf),
    ("site", Object(USER)),
];
const USER: &[(&str, Kind)] = &[
    ("data", Array(&Object(DATA))),
    ("eids", EIDS),
    ("ext", Object(&[("eids", EIDS), ("consent", Leaf)])),
    ("id", Leaf),
    ("buyeruid", Leaf),
    ("consent", Leaf),
    ("geo", Object(GEO)),
];
const EIDS: Kind = Array(&Object(&[("source", Leaf), ("uids", Array(&Object(&[("id", Leaf)])))]));
const GEO: &[(&str, Kind)] = &[("country", Leaf)];
const DATA: &[(&str, Kind)] = &[("id", Leaf), ("name", Leaf), ("ext", Object(&[("segtax", Leaf)]))];
const DEVICE: &[(&str, Kind)] = &[("ifa", Leaf), ("lmt", Leaf), ("dnt", Leaf), ("geo", Object(GEO))];
const REGS: &[(&str, Kind)] = &[
    ("gdpr", Leaf),
    ("ext", Object(SIGNALS)),
    ("gpp", Leaf),
    ("gpp_sid", Leaf),
    ("us_privacy", Leaf),
    ("gpc", Leaf),
    ("coppa", Leaf),
];
const SIGNALS: &[(&str, Kind)] =
    &[("gdpr", Leaf), ("gpp", Leaf), ("gpp_sid", Leaf), ("us_privacy", Leaf), ("gpc", Leaf), ("coppa", Leaf)];
const IMP: &[(&str, Kind)] =
    &[("id", Leaf), ("pmp", Object(&[("deals", Array(&Object(&[("id", Leaf), ("guar", Leaf)])))]))];

/// Spelt as they stand in the body.
const LEAVES: [&str; 48] = [
    r#""a""#,
    r#""""#,
    "1",
    "0",
    "null",
    "true",
    "false",
    r#""1""#,
    r#""0""#,
    r#""False""#,
    r#"" 1 ""#,
    "-1",
    "-0",
    "1.0",
    "0.5",
    "1e3",
    "1E+2",
    "2e-1",
    "1e999",
    "-1e999",
    "12345678901234567890",
    "4294967296",
    "9007199254740993.5",
    "[]",
    "{}",
    "[2,7]",
    r#"["2",[7.0,null],{}]"#,
    r#""2,7""#,
    r#""2_7""#,
    "[1e999]",
    r#"["\ud800"]"#,
    r#""1YNN""#,
    r#""1YYN""#,
    r#""\u0031""#,
    r#""è€😀""#,
    r#""\ud83d\ude00""#,
    r#""\uD83D x""#,
    r#""\ude00\ud83d""#,
    r#""\ud800\ud83d\ude00\n""#,
    r#""a\"b\\c\/d\b\f\n\r\t""#,
    r#""a longer text, in which eight bytes at a time pass""#,
    r#""fifteen bytes, a\\""#,
    r#""{\"user\":[","#,
    "[[[[{\"a\":[]}]]]]",
    r#"{"data":[{}],"data":null}"#,
    r#""abcdefg\u00e8h""#,
    "\"\u{7f}\u{80}\"",
    "[null,1,[],{},\"x\"]",
];

struct Maker<'c> {
    choices: std::slice::Iter<'c, u8>,
    out: String,
}

impl Maker<'_> {
    /// One of `n`; the first when the choices are used up.
    fn pick(&mut self, n: usize) -> usize {
        self.choices.next().map_or(0, |choice| usize::from(*choice) % n)
    }

    fn space(&mut self) {
        let space = self.pick(24);
        self.out.push_str(["", " ", "\n", "\t ", "\r\n"].get(space).copied().unwrap_or_default());
    }

    fn key(&mut self, key: &str) {
        self.out.push('"');
        for letter in key.chars() {
            match self.pick(60) {
                59 => self.out.push_str(&format!("\\u{:04x}", u32::from(letter))),
                58 => self.out.push_str(&format!("\\u{:04X}", u32::from(letter))),
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
    }

    fn value(&mut self, kind: Kind) {
        self.space();
        match kind {
            Leaf => {
                let leaf = LEAVES[self.pick(LEAVES.len())];
                self.out.push_str(leaf.trim_end_matches(','));
            }
            _ if self.pick(12) == 11 => self.value(Leaf),
            Object(members) => self.list('{', '}', |maker| {
                let (key, kind) = members[maker.pick(members.len())];
                match maker.pick(16) {
                    15 => maker.key("unknown"),
                    _ => maker.key(key),
                }
                maker.space();
                maker.out.push(':');
                maker.value(kind);
            }),
            Array(element) => self.list('[', ']', |maker| maker.value(*element)),
        }
        self.space();
    }

    fn list(&mut self, open: char, close: char, mut item: impl FnMut(&mut Self)) {
        self.out.push(open);
        for at in 0..self.pick(6) {
            if at > 0 {
                self.out.push(',');
            }
            self.space();
            item(self);
        }
        self.space();
        self.out.push(close);
    }
}

fn made(choices: &[u8]) -> Vec<u8> {
    let mut maker = Maker { choices: choices.iter(), out: String::new() };
    maker.value(Object(TOP));
    maker.out.into_bytes()
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..600)
}

/// `VAGLIO_TEST_FUZZ_CASES` says how many, as for the fuzz entries.
fn cases() -> ProptestConfig {
    let cases = std::env::var("VAGLIO_TEST_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn generated_requests_are_read_as_the_obvious_way_reads_them(choices in choices()) {
        let body = made(&choices);
        // A leaf may stand at the top.
        prop_assert_eq!(agree::on(&body), String::from_utf8_lossy(&body).trim_start().starts_with('{'));
    }

    #[test]
    fn damaged_requests_are_refused_when_they_are_no_json(
        choices in choices(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize), 1..4),
    ) {
        let mut body = made(&choices);
        for (at, byte) in damages {
            let at = at.index(body.len() + 1);
            match b"\"\\{}[],:u0eE+-. \x00\x1f\x7f\x80\xc3\xedtn".get(byte) {
                Some(byte) if at < body.len() && at % 2 == 0 => body[at] = *byte,
                Some(byte) => body.insert(at, *byte),
                None if byte < 30 => body.truncate(at),
                None => drop(body.drain(at.min(body.len())..(at + 1).min(body.len()))),
            }
        }
        agree::on(&body);
    }

    #[test]
    fn bytes_of_json_in_any_order_are_read_or_refused(
        bytes in prop::collection::vec(prop::sample::select(b"\"\"\"{{}}[],,::1e-.0truefalsn\\ u\n".to_vec()), 0..60),
    ) {
        agree::on(&bytes);
        let framed = [b"{\"user\":", &bytes[..], b"}"].concat();
        agree::on(&framed);
        agree::on(&[b"{\"x\":\"", &bytes[..], b"\"}"].concat());
    }
}
