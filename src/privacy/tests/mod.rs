//! Decisions on strings that are written here, bit by bit. Other people's encoders and decoders: `tests/privacy_oracles.rs`.

mod written;

use super::*;
use crate::config::{self, DisclosedVendors, PrivacyDuty};
use crate::schema::Use;
use proptest::prelude::*;
use written::{Tcf, Written, all, california, canadian, gpp, state};

const OURS: u16 = 755;

fn settings() -> config::Privacy {
    config::Privacy { tcf_vendor_id: Some(OURS), ..config::Privacy::default() }
}

fn ask(settings: &config::Privacy, signals: Signals<'_>) -> Permission {
    Policy::new(settings).permission(&signals, PrivacyDuty::Required)
}

/// Why targeting is denied by a TCF string.
#[track_caller]
fn tcf_reason(tcf: &Tcf) -> Option<Reason> {
    let text = tcf.text();
    let signals = Signals { gdpr: Some(true), tcf: &text, ..Signals::default() };
    ask(&settings(), signals).denied(Use::Target)
}

fn reason(signals: Signals<'_>) -> Option<Reason> {
    ask(&settings(), signals).denied(Use::Target)
}

#[test]
fn nothing_said_and_nothing_refused_is_permitted() {
    let (none, off) = (Signals::default(), Some(false));
    assert_eq!(ask(&settings(), none), Permission::ALL);
    let all_off = Signals {
        gdpr: off,
        gpc: off,
        coppa: off,
        lmt: off,
        us_privacy: "1YNN",
        gpp: "DBAA",
        gpp_sid: Some(&[0, -1]),
        country: "US",
        ..none
    };
    assert_eq!(ask(&settings(), all_off), Permission::ALL);
    assert_eq!(reason(Signals { us_privacy: "1---", ..none }), None);
    assert_eq!(reason(Signals { gpp: "DBAA", ..none }), None, "no section is there, so none applies");
    assert_eq!(reason(Signals { gpp: "?", gpp_sid: Some(&[-1]), ..none }), None, "none applies");
    for not_said in [&[][..], &[0]] {
        let signals = Signals { gpp: "?", gpp_sid: Some(not_said), ..none };
        assert_eq!(reason(signals), Some(Reason::GppUndecodable), "{not_said:?}");
        assert_eq!(reason(Signals { gpp: "", ..signals }), None, "{not_said:?}");
    }
}

#[test]
fn plain_refusals_refuse_whatever_the_duty() {
    let (none, on) = (Signals::default(), Some(true));
    for (signals, expected) in [
        (Signals { coppa: on, ..none }, Reason::Coppa),
        (Signals { lmt: on, ..none }, Reason::Lmt),
        (Signals { gpc: on, ..none }, Reason::Gpc),
    ] {
        for duty in [PrivacyDuty::Required, PrivacyDuty::AlreadyEnforced] {
            let permission = Policy::new(&settings()).permission(&signals, duty);
            assert!(permission.is_none());
            assert_eq!(permission.first_denied(&Use::ALL), Some(expected));
        }
    }
    let strings = Signals { gdpr: on, tcf: "x", gpp: "x", gpp_sid: Some(&[7]), us_privacy: "1YYY", ..none };
    let enforced = Policy::new(&settings()).permission(&strings, PrivacyDuty::AlreadyEnforced);
    assert_eq!(enforced, Permission::ALL, "strings are not decoded again");
}

#[test]
fn where_gdpr_applies() {
    let (none, text) = (Signals::default(), Tcf { consents: vec![], ..all() }.text());
    assert_eq!(reason(Signals { gdpr: Some(true), ..none }), Some(Reason::TcfMissing));
    assert_eq!(reason(Signals { country: "ITA", ..none }), Some(Reason::TcfMissing));
    assert_eq!(reason(Signals { tcf: &text, country: "US", ..none }), Some(Reason::TcfRefused), "a string came");
    assert_eq!(reason(Signals { gdpr: Some(false), tcf: &text, country: "IT", ..none }), None);
    assert_eq!(reason(Signals { country: "CH", ..none }), None);
    let without = config::Privacy { gdpr_by_country: false, ..settings() };
    assert_eq!(ask(&without, Signals { country: "IT", ..none }), Permission::ALL);
    assert_eq!(
        ask(&config::Privacy::default(), Signals { gdpr: Some(true), tcf: &all().text(), ..none }).denied(Use::Cap),
        Some(Reason::TcfVendor)
    );
}

#[test]
fn a_valid_string_with_every_consent_permits_everything() {
    for as_ranges in [false, true] {
        let text = Tcf { as_ranges, ..all() }.text();
        let permission = ask(&settings(), Signals { gdpr: Some(true), tcf: &text, ..Signals::default() });
        assert_eq!(permission, Permission::ALL);
    }
}

#[test]
fn tcf_strings_that_permit_nothing() {
    let none = || all();
    for (tcf, expected) in [
        (Tcf { version: 1, ..none() }, Reason::TcfInvalid),
        (Tcf { version: 3, ..none() }, Reason::TcfInvalid),
        (Tcf { policy: 3, ..none() }, Reason::TcfInvalid),
        (Tcf { service_specific: 0, ..none() }, Reason::TcfInvalid),
        (Tcf { disclosed: Some(vec![]), ..none() }, Reason::TcfVendor),
        (Tcf { disclosed: None, ..none() }, Reason::TcfVendor),
        (Tcf { policy: 4, disclosed: Some(vec![1]), ..none() }, Reason::TcfVendor),
        (Tcf { vendors: vec![1, OURS + 1], ..none() }, Reason::TcfRefused),
        (Tcf { vendors: vec![], ..none() }, Reason::TcfRefused),
        (Tcf { consents: vec![1, 3], ..none() }, Reason::TcfRefused),
        // Legitimate interest is none for these purposes.
        (Tcf { consents: vec![1, 3], interests: vec![4], vendor_interests: vec![OURS], ..none() }, Reason::TcfRefused),
        (Tcf { restrictions: vec![(4, 0, vec![3, OURS])], ..none() }, Reason::TcfRefused),
        (Tcf { restrictions: vec![(4, 2, vec![OURS])], ..none() }, Reason::TcfRefused),
        (Tcf { restrictions: vec![(4, 3, vec![OURS])], ..none() }, Reason::TcfRefused),
        (Tcf { consents: vec![3, 4], purpose_one: 1, ..none() }, Reason::TcfRefused),
        (Tcf { consents: vec![3, 4], country: "DE", ..none() }, Reason::TcfRefused),
        (Tcf { consents: vec![3], purpose_one: 1, country: "DE", ..none() }, Reason::TcfRefused),
        (Tcf { vendors: vec![], purpose_one: 1, country: "DE", ..none() }, Reason::TcfRefused),
        (Tcf { restrictions: vec![(1, 0, vec![OURS])], purpose_one: 1, country: "DE", ..none() }, Reason::TcfRefused),
    ] {
        assert_eq!(tcf_reason(&tcf), Some(expected), "{tcf:?}");
    }
    for (tcf, why) in [
        (Tcf { policy: 4, disclosed: None, ..all() }, "TCF 2.2 does not say who was disclosed"),
        (Tcf { restrictions: vec![(4, 1, vec![OURS])], ..all() }, "consent is required, and is there"),
        (Tcf { restrictions: vec![(4, 0, vec![OURS - 1]), (7, 0, vec![OURS])], ..all() }, "of others"),
        (Tcf { consents: vec![3, 4], purpose_one: 1, country: "DE", ..all() }, "purpose 1 is not asked for there"),
    ] {
        assert_eq!(tcf_reason(&tcf), None, "{why}");
    }
}

#[test]
fn each_use_has_its_purposes() {
    let uses = |tcf: &Tcf| {
        let text = tcf.text();
        let permission = ask(&settings(), Signals { gdpr: Some(true), tcf: &text, ..Signals::default() });
        Use::ALL.map(|one| permission.allows(one))
    };
    assert_eq!(uses(&Tcf { consents: vec![1, 2], ..all() }), [false, false, true, false]);
    assert_eq!(uses(&Tcf { consents: vec![1, 9], ..all() }), [false, false, false, true]);
    let interest = Tcf { consents: vec![1, 3, 4], interests: vec![2, 9], vendor_interests: vec![OURS], ..all() };
    assert_eq!(uses(&interest), [true; 4]);
    assert_eq!(uses(&Tcf { vendor_interests: vec![1], ..interest.clone() }), [true, true, false, false]);
    let restricted = Tcf { restrictions: vec![(2, 1, vec![OURS])], ..interest.clone() };
    assert_eq!(uses(&restricted), [true, true, false, true], "consent is required for purpose 2");
    let forced = Tcf { consents: (1..=11).collect(), restrictions: vec![(2, 2, vec![OURS])], ..interest };
    assert_eq!(uses(&forced), [true; 4], "legitimate interest is required for purpose 2, and is there");
    let none = config::Privacy { purposes: config::Purposes { cap: vec![], ..Default::default() }, ..settings() };
    let text = all().text();
    let permission = ask(&none, Signals { gdpr: Some(true), tcf: &text, ..Signals::default() });
    assert!(permission.allows(Use::Target) && !permission.allows(Use::Cap), "a use without purposes cannot be refused");
}

#[test]
fn disclosed_vendors_by_configuration() {
    let allowed = |disclosed_vendors, policy, disclosed: Option<Vec<u16>>| {
        let text = Tcf { policy, disclosed, ..all() }.text();
        let settings = config::Privacy { disclosed_vendors, ..settings() };
        ask(&settings, Signals { gdpr: Some(true), tcf: &text, ..Signals::default() }).allows(Use::Target)
    };
    use DisclosedVendors::{ByVersion, Ignored, Required};
    for (setting, policy, disclosed, expected) in [
        (Required, 4, None, false),
        (Required, 4, Some(vec![OURS]), true),
        (Required, 5, Some(vec![1]), false),
        (ByVersion, 4, None, true),
        (ByVersion, 4, Some(vec![1]), false),
        (ByVersion, 5, None, false),
        (ByVersion, 5, Some(vec![OURS]), true),
        (Ignored, 5, None, true),
        (Ignored, 5, Some(vec![1]), true),
    ] {
        assert_eq!(allowed(setting, policy, disclosed.clone()), expected, "{setting:?} {policy} {disclosed:?}");
    }
}

#[test]
fn tcf_strings_that_cannot_be_decoded() {
    let sound = all().text();
    let (core, disclosed) = sound.split_once('.').unwrap();
    let twice = format!("{sound}.{disclosed}");
    let unknown = format!("{core}.gAAA");
    let padded = format!("{core}=.{disclosed}");
    let long = format!("{core}{}", "A".repeat(MAX_BYTES));
    let backwards = Written::default().put(1, 3).put(9, 16).put(1, 1).put(1, 12).put(1, 1).put(9, 16).put(5, 16).text();
    let backwards = format!("{core}.{backwards}");
    let cut = &core[..core.len() - 4];
    for text in [&twice, &unknown, &padded, &long, &backwards, cut, &core[..20], ".", &format!("{core}."), "CÀ"] {
        assert_eq!(tcf::read(text, OURS), Err(Undecodable), "{text}");
        let signals = Signals { gdpr: Some(true), tcf: text, ..Signals::default() };
        assert_eq!(reason(signals), Some(Reason::TcfUndecodable), "{text}");
    }
    assert!(tcf::read(&format!("{core}AAAA.{disclosed}.YAAA"), OURS).is_ok(), "padding and a publisher's segment");
}

#[test]
fn gpp_sections_of_the_united_states() {
    let ask = |text: &str, sid: Option<&[i32]>| reason(Signals { gpp: text, gpp_sid: sid, ..Signals::default() });
    let sound = california(2, 0, [0, 2]);
    for (section, expected) in [
        (sound.clone(), None),
        (california(1, 2, [0, 0]), Some(Reason::GppOptedOut)),
        (california(2, 1, [0, 0]), Some(Reason::GppOptedOut)),
        (california(2, 3, [0, 0]), Some(Reason::GppUndecodable)),
        (california(2, 2, [0, 1]), Some(Reason::GppChild)),
        (california(2, 2, [3, 1]), Some(Reason::GppUndecodable)),
        (sound.clone() + ".YA", Some(Reason::GppGpc)),
        (sound.clone() + ".QA", None),
        (sound.clone() + ".gA", Some(Reason::GppUndecodable)),
        (sound[..4].to_owned(), Some(Reason::GppUndecodable)),
        (state(2, &[0; 20]), Some(Reason::GppUndecodable)),
        (String::new(), Some(Reason::GppUndecodable)),
    ] {
        let text = gpp(&[(8, &section)]);
        assert_eq!(ask(&text, Some(&[8])), expected, "{section}");
        for not_said in [None, Some(&[][..]), Some(&[0])] {
            assert_eq!(ask(&text, not_said), expected, "without gpp_sid every section that is there applies");
        }
        assert_eq!(ask(&text, Some(&[-1, 0])), None);
        assert_eq!(ask(&text, Some(&[8, 9])), expected.or(Some(Reason::GppMissing)));
    }
    for unknown in [1, 3, 4, 28, 31, 32, 1000, i32::MAX] {
        assert!(ask(&gpp(&[(8, &sound)]), Some(&[unknown])).is_some(), "{unknown}");
        if unknown > 0 && unknown < 60_000 {
            let text = gpp(&[(unknown as u64, &sound)]);
            assert_eq!(ask(&text, Some(&[unknown])), Some(Reason::GppUndecodable), "{unknown}");
        }
    }
    assert_eq!(ask("", Some(&[7])), Some(Reason::GppMissing));
    assert_eq!(ask("junk", Some(&[7])), Some(Reason::GppUndecodable));
    assert_eq!(ask("junk", None), Some(Reason::GppUndecodable));
    assert_eq!(ask(&(gpp(&[(8, &sound)]) + "~x"), Some(&[8])), Some(Reason::GppUndecodable), "one too many");
    assert_eq!(ask("DBABBg", Some(&[8])), Some(Reason::GppUndecodable), "one too few");
}

#[test]
fn gpp_sections_that_are_strings_of_their_own() {
    let (none, yes, no) = (Signals::default(), all().text(), Tcf { consents: vec![1], ..all() }.text());
    let both = gpp(&[(2, &yes), (6, "1YNN")]);
    assert_eq!(reason(Signals { gpp: &both, gpp_sid: Some(&[2, 6]), ..none }), None);
    assert_eq!(
        reason(Signals { gpp: &both, gdpr: Some(true), gpp_sid: Some(&[6]), ..none }),
        None,
        "section 2 is the string"
    );
    let refused = gpp(&[(2, &no)]);
    assert_eq!(reason(Signals { gpp: &refused, gpp_sid: Some(&[2]), ..none }), Some(Reason::TcfRefused));
    assert_eq!(
        reason(Signals { gpp: &refused, gpp_sid: Some(&[2]), tcf: &yes, ..none }),
        Some(Reason::TcfRefused),
        "both"
    );
    assert_eq!(reason(Signals { gpp: &refused, gdpr: Some(false), ..none }), None, "said not to apply");
    assert_eq!(reason(Signals { gpp: &refused, ..none }), Some(Reason::TcfRefused));
    for (section, expected) in
        [("1YYN", Reason::GppOptedOut), ("1Y", Reason::GppUndecodable), ("", Reason::GppUndecodable)]
    {
        let text = gpp(&[(6, section)]);
        assert_eq!(reason(Signals { gpp: &text, gpp_sid: Some(&[6]), ..none }), Some(expected), "{section}");
    }
}

#[test]
fn us_privacy_strings() {
    let ask = |text| reason(Signals { us_privacy: text, ..Signals::default() });
    for opted_out in ["1YYN", "1NY-", "1yyy"] {
        assert_eq!(ask(opted_out), Some(Reason::UsPrivacyOptedOut), "{opted_out}");
    }
    for unreadable in ["1", "2YNN", "1YXN", "1XYN", "garbage", "1YN", "1YNNN"] {
        assert_eq!(ask(unreadable), Some(Reason::UsPrivacyUndecodable), "{unreadable}");
    }
    for fine in ["", "1YNN", "1---", "1ynn"] {
        assert_eq!(ask(fine), None, "{fine}");
    }
}

#[test]
fn tcf_canada_needs_express_consent() {
    let (needed, ours) = (0b1011 << 20, u64::from(OURS));
    let ask = |section: &str| {
        let text = gpp(&[(5, section)]);
        reason(Signals { gpp: &text, gpp_sid: Some(&[5]), ..Signals::default() })
    };
    for as_ranges in [false, true] {
        assert_eq!(ask(&canadian(needed, &[3, 70, ours], as_ranges, None)), None);
        assert_eq!(ask(&canadian(needed, &[3, 70, 900], as_ranges, None)), Some(Reason::GppRefused));
        assert_eq!(ask(&canadian(0b1010 << 20, &[ours], as_ranges, None)), Some(Reason::GppRefused));
        assert_eq!(ask(&canadian(needed, &[ours], as_ranges, Some((4, 1)))), None);
        assert_eq!(ask(&canadian(needed, &[ours], as_ranges, Some((4, 0)))), Some(Reason::GppRefused));
        assert_eq!(ask(&canadian(needed, &[ours], as_ranges, Some((4, 2)))), Some(Reason::GppRefused));
    }
    assert_eq!(ask("CPXx"), Some(Reason::GppUndecodable));
}

proptest! {
    #[test]
    fn no_string_panics(tcf in ".{0,60}", gpp in "(DB[A-Za-z0-9_-]{2,8})?(~.{0,30}){0,4}", us in ".{0,5}", sid in prop::collection::vec(any::<i32>(), 0..5)) {
        let signals = Signals { gdpr: Some(true), tcf: &tcf, gpp: &gpp, us_privacy: &us, gpp_sid: Some(&sid), ..Signals::default() };
        let permission = ask(&settings(), signals);
        prop_assert!(permission.is_none(), "nothing of this is a consent");
        ask(&settings(), Signals { gpp_sid: None, gdpr: None, ..signals });
    }

    /// The decision turns on our bit alone, whatever the others', in both encodings.
    #[test]
    fn our_vendor_bit_decides(others in prop::collection::btree_set(1u16..2000, 0..30), as_ranges: bool, ours in 1u16..2000) {
        let settings = config::Privacy { tcf_vendor_id: Some(ours), ..settings() };
        for consented in [false, true] {
            let mut vendors: std::collections::BTreeSet<u16> = others.clone();
            if consented { vendors.insert(ours); } else { vendors.remove(&ours); }
            let tcf = Tcf { vendors: vendors.into_iter().collect(), disclosed: Some(vec![ours]), as_ranges, ..all() };
            let text = tcf.text();
            let permission = ask(&settings, Signals { tcf: &text, ..Signals::default() });
            prop_assert_eq!(permission.allows(Use::Target), consented);
        }
    }

    #[test]
    fn fibonacci_numbers_are_read_as_written(numbers in prop::collection::vec(1u64..65_536, 1..5)) {
        let text = numbers.iter().fold(Written::default(), |out, &number| out.fibonacci(number)).text();
        let mut bits = bits::Bits::new(&text).unwrap();
        for number in numbers {
            prop_assert_eq!(bits.fibonacci().map(u64::from), Ok(number));
        }
    }
}
