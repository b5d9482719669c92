//! The comparison, string by string: equal, explained by a rule, or unexplained.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use vaglio::config::{Privacy, PrivacyDuty};
use vaglio::privacy::gpp::Sections;
use vaglio::privacy::{MAX_BYTES, Policy, Reason, Signals, canada, tcf, us};
use vaglio::schema::Use;

/// What came out.
#[derive(Default)]
pub struct Tally {
    /// Comparisons made.
    pub compared: usize,
    /// Differences with a reason, by rule.
    explained: BTreeMap<&'static str, usize>,
    /// Differences without.
    pub unexplained: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} comparisons, {} unexplained differences", self.compared, self.unexplained.len())?;
        for (rule, times) in &self.explained {
            writeln!(out, "{times:>6} explained: {rule}")?;
        }
        self.unexplained.iter().take(20).try_for_each(|difference| writeln!(out, "{difference}"))
    }
}

impl Tally {
    /// Equal, explained, or neither.
    fn compare(&mut self, oracle: &str, text: &str, ours: &Value, theirs: &Value, why: Option<&'static str>) {
        self.compared += 1;
        match why {
            _ if ours == theirs => {}
            Some(rule) => *self.explained.entry(rule).or_default() += 1,
            None => self.unexplained.push(format!("{oracle}\n  {text}\n  ours   {ours}\n  theirs {theirs}")),
        }
    }
}

const UNDECODABLE: &str = "undecodable";

fn ours_of_tcf(text: &str, asked: &[u16]) -> Value {
    let mut readings = Vec::new();
    for &vendor in asked {
        match tcf::read(text, vendor) {
            Err(_) => return json!(UNDECODABLE),
            Ok(reading) if reading.version != 2 => return json!("another version"),
            Ok(reading) => readings.push(reading),
        }
    }
    let vendors = readings.iter().map(|reading| {
        let kinds = [reading.not_allowed, reading.require_consent, reading.require_interest];
        json!({ "consent": reading.vendor_consent, "interest": reading.vendor_interest, "kinds": kinds, "disclosed": reading.disclosed })
    });
    let vendors: Vec<Value> = vendors.collect();
    let first = readings[0];
    json!({
        "version": first.version,
        "policy": first.policy_version,
        "specific": first.service_specific,
        "consents": first.consents,
        "interests": first.interests,
        "purpose_one": first.purpose_one_treatment,
        "country": String::from_utf8(first.publisher_country.map(|letter| b'A' + letter).to_vec()).unwrap(),
        "vendors": vendors,
    })
}

/// An oracle's reading without what only explains it.
fn theirs(oracle: &Value) -> Value {
    if oracle["error"].is_string() {
        return json!(UNDECODABLE);
    }
    let mut theirs = oracle.clone();
    for name in ["past_end", "backwards", "restrictions"] {
        theirs.as_object_mut().unwrap().remove(name);
    }
    theirs
}

pub fn tcf(one: &Value, tally: &mut Tally) {
    let text = one["text"].as_str().unwrap();
    let asked: Vec<u16> =
        one["asked"].as_array().unwrap().iter().map(|vendor| vendor.as_u64().unwrap() as u16).collect();
    let ours = ours_of_tcf(text, &asked);
    let damaged = one["made"] == "damaged";
    let core = &one["core"];
    let error = core["error"].as_str().unwrap_or("");
    let why = if ours == "another version" {
        Some("a version other than 2 is not read any further")
    } else if error.starts_with("TCModelError") && ours != UNDECODABLE {
        Some("core refuses values of fields that no decision reads (CMP, country)")
    } else if error.contains("invalid PurposeRestriction") && damaged && ours != UNDECODABLE {
        Some(
            "core refuses restrictions of an undefined kind or purpose; the kind forbids here, and no use has the purpose",
        )
    } else if text.len() > MAX_BYTES {
        Some("strings over 16 KiB are not read")
    } else if damaged && ours == UNDECODABLE {
        explained_strictness(text, core)
    } else {
        None
    };
    tally.compare("@iabtechlabtcf/core", text, &ours, &theirs(core), why);
    let python = &one["python"];
    let why = why.or_else(|| {
        (damaged && (ours == UNDECODABLE || python["error"].is_string()))
            .then_some("iab-tcf reads on past the end of a damaged string, or fails on the length of its base64")
    });
    tally.compare("iab-tcf", text, &ours, &theirs(python), why);
    crate_of_tcf(one, &asked, &ours, tally);
}

/// Why we refuse a damaged string that the oracle reads.
fn explained_strictness(text: &str, core: &Value) -> Option<&'static str> {
    let kinds: Vec<u8> = text.split('.').skip(1).filter_map(|segment| segment.bytes().next()).map(kind).collect();
    let twice = |kind: &u8| kinds.iter().filter(|other| *other == kind).count() > 1;
    if core["backwards"] == true {
        Some("core takes a range that ends before it starts for none")
    } else if core["past_end"] == true {
        Some("core takes bits behind the end for zeros")
    } else if kinds.iter().any(twice) {
        Some("core takes the last of two segments of one kind")
    } else if kinds.contains(&0) {
        Some("core reads a segment of kind 0 as another core")
    } else {
        None
    }
}

/// The kind of a segment by its first character.
fn kind(first: u8) -> u8 {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    alphabet.iter().position(|&letter| letter == first).map_or(8, |at| (at >> 3) as u8)
}

/// The crate `iab_gpp`.
fn crate_of_tcf(one: &Value, asked: &[u16], ours: &Value, tally: &mut Tally) {
    let text = one["text"].as_str().unwrap();
    let restricted = one["core"]["restrictions"].as_u64() > Some(0);
    let read = iab_gpp::sections::tcfeuv2::TcfEuV2::from_str(text);
    let theirs = read.map_or(json!(UNDECODABLE), |read| {
        let core = &read.core;
        let mask =
            |purposes: &std::collections::BTreeSet<u16>| purposes.iter().fold(0u32, |mask, one| mask | 1 << (one - 1));
        let vendors = asked.iter().map(|vendor| {
            json!({
                "consent": core.vendor_consents.contains(vendor),
                "interest": core.vendor_legitimate_interests.contains(vendor),
                "kinds": if core.publisher_restrictions.is_empty() { json!([0, 0, 0]) } else { Value::Null },
                "disclosed": read.disclosed_vendors.as_ref().map(|disclosed| disclosed.contains(vendor)),
            })
        });
        let vendors: Vec<Value> = vendors.collect();
        json!({
            "version": 2,
            "policy": core.policy_version,
            "specific": core.is_service_specific,
            "consents": mask(&core.purpose_consents),
            "interests": mask(&core.purpose_legitimate_interests),
            "purpose_one": core.purpose_one_treatment,
            "country": core.publisher_country_code,
            "vendors": vendors,
        })
    });
    let why = if ours == "another version" {
        Some("a version other than 2 is not read any further")
    } else if text.len() > MAX_BYTES {
        Some("strings over 16 KiB are not read")
    } else if restricted {
        Some("iab_gpp takes publisher restrictions for ranges of another form")
    } else if one["made"] == "damaged" {
        Some("iab_gpp reads damaged strings otherwise: padding, order, ends")
    } else {
        None
    };
    tally.compare("iab_gpp", text, ours, &theirs, why);
}

pub fn gpp(one: &Value, tally: &mut Tally) {
    let text = one["text"].as_str().unwrap();
    let damaged = one["made"] == "damaged";
    let sections = Sections::read(text);
    let ours = sections.map_or(json!(UNDECODABLE), |sections| {
        json!((1..31).filter(|&id| sections.get(id).is_some()).collect::<Vec<u8>>())
    });
    let model = &one["model"];
    let theirs = if model["error"].is_string() { json!(UNDECODABLE) } else { model["ids"].clone() };
    tally.compare("@iabgpp/cmpapi, header", text, &ours, &theirs, explained_header(text, damaged, &ours, &theirs));
    let header = std::panic::catch_unwind(|| {
        iab_gpp::v1::GPPString::from_str(text).map(|read| {
            let mut ids: Vec<u8> = read.section_ids().map(|id| *id as u8).collect();
            ids.sort_unstable();
            ids
        })
    });
    let panicked = header.is_err();
    let header = header.ok().and_then(Result::ok).map_or(json!(UNDECODABLE), |ids| json!(ids));
    let newer = ours.as_array().is_some_and(|ids| ids.iter().any(|id| id.as_u64() > Some(23)));
    let why = if panicked && damaged {
        Some("iab_gpp panics on sums over 255 in damaged headers (in a release build it wraps around)")
    } else if text.len() > MAX_BYTES {
        Some("strings over 16 KiB are not read")
    } else if newer {
        Some("iab_gpp knows no section after Minnesota's, and refuses the string")
    } else if ours.as_array().is_some_and(|ids| ids.len() > 2) {
        Some("iab_gpp adds the third single section of a header to the wrong one")
    } else if damaged {
        Some("iab_gpp reads damaged headers otherwise")
    } else {
        None
    };
    tally.compare("iab_gpp, header", text, &ours, &header, why);
    let vendor = one["vendor"].as_u64().unwrap() as u16;
    for section in one["sections"].as_array().unwrap() {
        compare_section(section, vendor, damaged, tally);
    }
}

/// Why we read a string's sections otherwise than cmpapi.
fn explained_header(text: &str, damaged: bool, ours: &Value, theirs: &Value) -> Option<&'static str> {
    if text.len() > MAX_BYTES {
        return Some("strings over 16 KiB are not read");
    }
    let whole = "cmpapi refuses a whole string for one section that is damaged; we refuse that section";
    if text.split('~').nth(1).is_some_and(|first| !first.starts_with('C'))
        && *ours != UNDECODABLE
        && theirs == UNDECODABLE
    {
        return Some(whole);
    }
    if !damaged {
        return None;
    }
    let unknown = ours.as_array().is_some_and(|ids| ids.iter().any(|id| id.as_u64() > Some(27)));
    if unknown {
        Some("cmpapi passes over sections that it does not know; we refuse them when they apply")
    } else if ours.is_array() && *theirs == UNDECODABLE {
        Some(whole)
    } else if text.starts_with('C') {
        Some("cmpapi takes a string that begins as a TCF string for one")
    } else if text.is_empty() {
        Some("an absent string is none")
    } else {
        None
    }
}

fn compare_section(section: &Value, vendor: u16, damaged: bool, tally: &mut Tally) {
    let (id, text, read) = (section["id"].as_u64().unwrap() as u8, section["text"].as_str().unwrap(), &section["read"]);
    match id {
        // Compared as TCF and US privacy strings.
        2 | 6 => {}
        5 => {
            let ours = canada::read(text, vendor);
            let ours = ours.map_or(json!(UNDECODABLE), |ours| json!([ours.express, ours.vendor_express]));
            let theirs =
                if read["error"].is_string() { json!(UNDECODABLE) } else { json!([read["express"], read["vendor"]]) };
            let why = (damaged && ours == UNDECODABLE).then_some("cmpapi reads past the end of a damaged section");
            tally.compare("@iabgpp/cmpapi, section 5", text, &ours, &theirs, why);
        }
        _ => {
            let ours = us::read(id, text);
            let values = |name: &str| -> Vec<u64> {
                read[name].as_array().into_iter().flatten().map(|value| value.as_u64().unwrap()).collect()
            };
            let (opt_outs, children) = (values("opt_outs"), values("children"));
            let theirs = if read["error"].is_string() || opt_outs.iter().chain(&children).any(|&value| value == 3) {
                json!(UNDECODABLE)
            } else {
                json!([opt_outs.contains(&1), children.contains(&1), read["gpc"]])
            };
            let ours =
                ours.map_or(json!(UNDECODABLE), |ours| json!([ours.opted_out, ours.child_without_consent, ours.gpc]));
            let why = if damaged && text.split('.').count() > 2 {
                Some("cmpapi looks at one segment behind the core")
            } else {
                (damaged && ours == UNDECODABLE)
                    .then_some("cmpapi takes what is missing in a damaged section for its defaults")
            };
            tally.compare(&format!("@iabgpp/cmpapi, section {id}"), text, &ours, &theirs, why);
            crate_of_us(id, text, &ours, damaged, tally);
        }
    }
}

/// Sections of the United States by the crate `iab_gpp`: whether it can read them at all.
fn crate_of_us(id: u8, text: &str, ours: &Value, damaged: bool, tally: &mut Tally) {
    if id > 23 {
        return;
    }
    let string = format!("{}~{text}", header(id));
    let read = iab_gpp::v1::GPPString::from_str(&string).unwrap();
    let decoded = read.decode_all_sections().remove(0).map(|section| format!("{section:?}"));
    let theirs = decoded.map_or(json!(UNDECODABLE), |section| {
        let opted_out = ["sale_opt_out", "sharing_opt_out", "targeted_advertising_opt_out"]
            .iter()
            .any(|name| section.contains(&format!("{name}: OptedOut")));
        let children = section.split("known_child_sensitive_data_consents: ").nth(1).unwrap();
        let children = if children.contains('{') && children.find('{') < children.find(',') {
            children.split('}').next().unwrap()
        } else {
            children.split(',').next().unwrap()
        };
        json!([opted_out, children.contains("NoConsent"), section.contains("gpc: Some(true)")])
    });
    let why =
        damaged.then_some("iab_gpp takes the undefined value 3 for `not applicable`, and refuses what we do not read");
    tally.compare(&format!("iab_gpp, section {id}"), text, ours, &theirs, why);
}

/// A header that announces one section.
fn header(id: u8) -> String {
    let mut numbers = vec![1u8, 2];
    while numbers[numbers.len() - 1] <= id {
        numbers.push(numbers[numbers.len() - 1] + numbers[numbers.len() - 2]);
    }
    let (mut left, mut code) = (id, String::new());
    for number in numbers.into_iter().rev() {
        let taken = number <= left && left > 0;
        left -= if taken { number } else { 0 };
        code.insert(0, if taken { '1' } else { '0' });
    }
    let mut bits = format!("0000110000010000000000010{}1", code.trim_end_matches('0'));
    while !bits.len().is_multiple_of(6) {
        bits.push('0');
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..bits.len() / 6)
        .map(|at| char::from(alphabet[usize::from_str_radix(&bits[at * 6..at * 6 + 6], 2).unwrap()]))
        .collect()
}

pub fn us_privacy(one: &Value, tally: &mut Tally) {
    let (text, read) = (one["text"].as_str().unwrap(), &one["read"]);
    let policy = Policy::new(&Privacy::default());
    let permission = policy.permission(&Signals { us_privacy: text, ..Signals::default() }, PrivacyDuty::Required);
    let ours = permission.denied(Use::Target).map_or("permitted", |reason| match reason {
        Reason::UsPrivacyOptedOut => "opted out",
        _ => UNDECODABLE,
    });
    let fields: Vec<&str> = read["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let theirs = match fields[..] {
        [notice, sale, covered] if read["version"] == 1 => match [notice, sale, covered] {
            fields if fields.iter().any(|field| !["Y", "N", "-"].contains(field)) => UNDECODABLE,
            [_, "Y", _] => "opted out",
            _ => "permitted",
        },
        _ => UNDECODABLE,
    };
    let why = match text {
        "" => Some("an absent string is none"),
        _ if text.contains('y') => Some("small letters are read as large ones"),
        _ if text.len() != 4 => Some("cmpapi reads as many characters as there are"),
        _ => None,
    };
    tally.compare("@iabgpp/cmpapi, US privacy", text, &json!(ours), &json!(theirs), why);
    let crate_ = iab_gpp::sections::uspv1::UspV1::from_str(text);
    let theirs = crate_.map_or(UNDECODABLE, |read| match read.opt_out_sale {
        iab_gpp::sections::uspv1::Flag::Yes => "opted out",
        _ => "permitted",
    });
    let why = why.or((text.len() != 4).then_some("iab_gpp reads four characters of as many as there are"));
    tally.compare("iab_gpp, US privacy", text, &json!(ours), &json!(theirs), why);
}
