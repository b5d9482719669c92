//! Planted mistakes must be caught, and right answers must not.

use super::*;
use bytes::Bytes;
use smallvec::smallvec;

fn person(status: &str, audiences: &[u32], target: &[u32]) -> Person {
    let (audiences, target) = (audiences.to_vec(), target.to_vec());
    Person { status: status.to_owned(), audiences, target, ..Person::default() }
}

fn truth() -> Truth {
    let campaign = |id: &str, limited| Campaign { id: id.to_owned(), limited };
    let head = Head {
        format: FORMAT,
        generation: 3,
        from: String::new(),
        until: String::new(),
        audiences: vec!["a/gold".to_owned(), "a/new".to_owned()],
        campaigns: vec![campaign("a/one", false), campaign("a/two", true), campaign("a/three", false)],
        stranger: person("no_profile", &[], &[2]),
    };
    let unsure = Person { unsure: vec![0], sometimes: vec![1], ..person("matched", &[0], &[1]) };
    Truth::new(head, vec![person("matched", &[0, 1], &[0, 1]), unsure, person("blocked", &[], &[]), Person::default()])
}

fn question(whom: Option<u32>) -> Question {
    Question { people: smallvec![whom], items: 1, ..Question::default() }
}

/// (checked, wrong suppress, wrong target, unknown) of verdicts on the campaigns, at every door that decides.
fn decided(whom: Option<u32>, verdicts: &[(&str, &str, &str)]) -> (u64, u64, u64, u64) {
    let told = |body: Vec<u8>, door| {
        let mut counts = Counts::default();
        let reply = Reply { body: Bytes::from(body), door, ..Reply::default() };
        assert!(truth().check(&question(whom), &reply, &mut counts));
        (counts.checked, counts.wrong_suppress, counts.wrong_target, counts.unknown_verdicts)
    };
    let campaigns: Vec<_> =
        verdicts.iter().map(|it| serde_json::json!({"id": it.0, "verdict": it.1, "reason": it.2})).collect();
    let json = serde_json::json!({"id": "r", "status": "matched", "campaigns": campaigns}).to_string();
    let number = |word: &str| match word {
        "target" => 1,
        "suppress" => 2,
        _ => 3,
    };
    let proto = |it: &(&str, &str, &str)| v1::CampaignVerdict {
        id: it.0.to_owned(),
        verdict: number(it.1),
        reason: it.2.to_owned(),
        ..Default::default()
    };
    let proto = v1::DecideResponse { campaigns: verdicts.iter().map(proto).collect(), ..Default::default() };
    let found = told(json.clone().into_bytes(), Door::Decide);
    assert_eq!(found, told(json.into_bytes(), Door::OpenrtbDecide));
    assert_eq!(found, told(proto.encode_to_vec(), Door::GrpcDecide));
    found
}

#[test]
fn planted_wrong_verdicts_are_caught_and_right_ones_are_not() {
    let (one, two, three) = (("a/one", "target", ""), ("a/two", "target", ""), ("a/three", "suppress", "excluded"));
    assert_eq!(decided(Some(0), &[one, two, three]), (3, 0, 0, 0));
    assert_eq!(decided(Some(0), &[("a/one", "suppress", "not_in_target"), two, three]), (3, 1, 0, 0), "planted");
    assert_eq!(decided(Some(0), &[one, two, ("a/three", "target", "")]), (3, 0, 1, 0), "planted");
    assert_eq!(decided(Some(0), &[("a/one", "unknown", "late"), ("b/other", "target", "")]), (0, 0, 0, 1));
    assert_eq!(decided(Some(0), &[("a/two", "suppress", "capped"), ("a/one", "suppress", "capped")]), (1, 1, 0, 0));
    assert_eq!(decided(Some(1), &[one, ("a/two", "suppress", "excluded")]), (1, 1, 0, 0), "one is unsure");
    assert_eq!(decided(Some(2), &[("a/one", "suppress", "objected"), two]), (2, 0, 1, 0), "objected");
    assert_eq!(decided(Some(3), &[one]), (0, 0, 0, 0), "nothing can be said");
    assert_eq!(decided(Some(9), &[one]), (0, 0, 0, 0), "no such line");
    assert_eq!(decided(None, &[one, ("a/three", "suppress", "no_profile")]), (2, 1, 1, 0), "a stranger");
}

/// (checked, wrong suppress) of one answer after the other at a door, each with the campaigns that it names as silent.
fn missed(asked: u32, answers: &[&[&str]]) -> Vec<(u64, u64)> {
    let truth = truth();
    let told = |named: &&[&str]| {
        let campaigns: Vec<_> = named.iter().map(|id| serde_json::json!({"id": id, "verdict": "suppress"})).collect();
        let json = serde_json::json!({"status": "blocked", "campaigns": campaigns}).to_string();
        let campaigns =
            named.iter().map(|id| v1::CampaignVerdict { id: (*id).to_owned(), verdict: 2, ..Default::default() });
        let proto = v1::DecideResponse { campaigns: campaigns.collect(), ..Default::default() }.encode_to_vec();
        let question = Question { campaigns: asked, ..question(Some(2)) };
        let found = [(Door::Decide, json.into_bytes()), (Door::GrpcDecide, proto)].map(|(door, body)| {
            let mut counts = Counts::default();
            truth.check(&question, &Reply { body: Bytes::from(body), door, ..Reply::default() }, &mut counts);
            (counts.checked, counts.wrong_suppress)
        });
        assert_eq!(found[0], found[1]);
        found[0]
    };
    answers.iter().map(told).collect()
}

#[test]
fn a_campaign_that_is_missing_in_an_answer_is_a_wrong_verdict() {
    let all = missed(0, &[&["a/one"], &["a/one", "b/other"], &["a/two"], &["a/two", "a/one"], &[]]);
    assert_eq!(all, [(1, 0), (1, 0), (2, 1), (2, 0), (2, 2)], "as far as it is known that the caller may ask for it");
    assert_eq!(missed(2, &[&["a/one", "b/other"], &["b/other"], &[]]), [(1, 0), (1, 1), (2, 2)], "two were named");
}

#[test]
fn an_answer_that_cannot_be_decoded_is_told() {
    for door in Door::ALL {
        let reply = Reply { body: Bytes::from_static(b"\xff{\"status\":\"matched\"}"), door, ..Reply::default() };
        let mut counts = Counts::default();
        assert_eq!(truth().check(&question(Some(0)), &reply, &mut counts), !Truth::checks(door), "{door:?}");
        assert_eq!(counts, Counts::default(), "{door:?}");
    }
}

#[test]
fn planted_wrong_lookups_are_caught() {
    let truth = truth();
    let told = |whom, word: &str, audiences: &[&str]| {
        let body = serde_json::json!({"status": word, "audiences": audiences, "generation": 3}).to_string();
        let mut counts = Counts::default();
        let reply = Reply { body: Bytes::from(body.into_bytes()), door: Door::Lookup, ..Reply::default() };
        truth.check(&question(whom), &reply, &mut counts);
        let status = ["matched", "no_profile", "no_id", "no_consent", "blocked"].iter().position(|it| *it == word);
        let number = status.map_or(7, |at| at as i32 + 1);
        let audiences: Vec<String> = audiences.iter().map(|it| (*it).to_owned()).collect();
        let one = v1::LookupResult { status: number, audiences: audiences.clone(), ..Default::default() };
        let batch = v1::LookupBatchResponse { results: vec![one.clone(), one], ..Default::default() };
        let single = v1::LookupResponse { status: number, audiences, ..Default::default() };
        for (door, body, times) in
            [(Door::GrpcLookup, single.encode_to_vec(), 1), (Door::GrpcBatch, batch.encode_to_vec(), 2)]
        {
            let mut other = Counts::default();
            let reply = Reply { body: Bytes::from(body), door, ..Reply::default() };
            let question = Question { people: smallvec![whom; times], ..Question::default() };
            truth.check(&question, &reply, &mut other);
            let all = [
                (other.checked, counts.checked),
                (other.wrong_suppress, counts.wrong_suppress),
                (other.wrong_target, counts.wrong_target),
            ];
            assert!(all.iter().all(|(many, one)| *many == one * times as u64), "{door:?}: {other:?} {counts:?}");
        }
        (counts.checked, counts.wrong_suppress, counts.wrong_target)
    };
    assert_eq!(told(Some(0), "matched", &["a/gold"]), (1, 0, 0), "a caller may not see all");
    assert_eq!(told(Some(0), "matched", &["a/gold", "a/new", "b/x"]), (1, 0, 0));
    assert_eq!(told(Some(0), "matched", &["a/gold"]), (1, 1, 0), "it was told before, so it may be seen");
    assert_eq!(told(Some(0), "no_profile", &[]), (1, 1, 0), "planted");
    assert_eq!(told(Some(2), "matched", &[]), (1, 0, 1), "planted");
    assert_eq!(
        (told(Some(1), "matched", &["a/gold", "a/new"]), told(Some(1), "matched", &["a/gold"])),
        ((1, 0, 0), (1, 0, 0))
    );
    assert_eq!((told(Some(2), "blocked", &[]), told(None, "no_profile", &[])), ((1, 0, 0), (1, 0, 0)));
    assert_eq!((told(None, "matched", &["a/gold"]), told(Some(0), "late", &[])), ((1, 0, 1), (0, 0, 0)));
}

#[test]
fn the_file_comes_back_and_others_are_refused() {
    let truth = truth();
    assert!(truth.knows(0) && truth.knows(2) && !truth.knows(9) && truth.knows(3));
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text = serde_json::to_string(truth.head()).unwrap() + "\n";
    truth.people.iter().for_each(|person| text += &(serde_json::to_string(person).unwrap() + "\n"));
    std::fs::write(file.path(), &text).unwrap();
    let read = Truth::read(file.path()).unwrap();
    assert_eq!((read.head(), &read.people), (truth.head(), &truth.people));
    std::fs::write(file.path(), text.replacen("\"format\":1", "\"format\":9", 1)).unwrap();
    assert!(Truth::read(file.path()).unwrap_err().to_string().contains("vaglio load truth"));
    std::fs::write(file.path(), "{}\n").unwrap();
    assert!(Truth::read(file.path()).is_err());
}
