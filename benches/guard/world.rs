//! What the guard asks, and `tests/allocations.rs` too: a small world in memory, a server on a few people, and one closure for each
//! thing that a bid makes them do. The same every time: no chance, no network.

use crate::facts::Facts;
use bytes::Buf;
use hyper::HeaderMap;
use prost::Message;
use serde_json::{Value, json};
use std::hint::black_box;
use std::rc::Rc;
use vaglio::audiences::definitions;
use vaglio::config::{Privacy, PrivacyDuty};
use vaglio::decide::{CampaignIndex, Decisions, Status};
use vaglio::hooks::call::Call;
use vaglio::hooks::routes::{Asked, Media};
use vaglio::hooks::{Door, artf, decide_json, decide_proto, lookup_json, lookup_proto, openrtb_decide, openrtb_enrich};
use vaglio::lookup::{Answer, Index, Outcome};
use vaglio::overlay::Overlay;
use vaglio::privacy::{Policy, Signals};
use vaglio::schema::{KeyHasher, ProfileKey, Timestamp};
use vaglio::server::Server;
use vaglio::snapshot::filter::write_filter;
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::{Filter, Flip, Flips, Forward, ForwardWriter, Identities, IdentitiesWriter};
use vaglio::wire::artf::{Intent, RtbRequest};
use vaglio::wire::{v1, v2};

pub const PEOPLE: u32 = 3_000;
pub const AUDIENCES: u32 = 300;
/// Lookups in a batch.
const BATCH: usize = 64;
/// A made-up bid request.
pub const REQUEST: &str = include_str!("../openrtb/request.json");
/// An identifier of that request.
const KNOWN: &str = "XY1000bIVBVah9ium-sZ3ykhPiXQbEcUpn4GjCtxrrw2BRDGM";

/// One thing that a bid makes the server do.
pub struct Case {
    pub name: &'static str,
    /// Does it once.
    pub work: Box<dyn FnMut()>,
}

fn case(name: &'static str, work: impl FnMut() + 'static) -> Case {
    Case { name, work: Box::new(work) }
}

/// Everybody in every seventh audience, with a flip that has not come yet.
pub fn index(filter: bool) -> Index<Vec<u8>> {
    let (mut identities, mut fuse, mut flips) = (Vec::new(), Vec::new(), Vec::new());
    let hasher = KeyHasher::new([1; 16]);
    let keys: Vec<ProfileKey> = (0..PEOPLE).map(|person| hasher.key("ifa", &person.to_string())).collect();
    IdentitiesWriter::write(keys.iter().copied().zip(0..), &mut identities).unwrap();
    write_filter(keys.iter().copied(), &mut fuse).unwrap();
    let order: Vec<u32> = (0..AUDIENCES).collect();
    let mut forward = ForwardWriter::new(Vec::new(), PEOPLE, &order).unwrap();
    for person in 0..PEOPLE {
        let audiences: Vec<u32> = (person % 7..AUDIENCES).step_by(7).collect();
        forward.push(8, &audiences).unwrap();
    }
    let flip = |person| Flip { ordinal: person, minute: 10, audience: person % 7 + 1, join: true };
    write_flips(&mut flips, &mut (0..PEOPLE).map(flip).collect()).unwrap();
    Index::new(
        Identities::open(identities).unwrap(),
        filter.then(|| Filter::open(fuse).unwrap()),
        Forward::open(forward.close().unwrap()).unwrap(),
        Flips::open(flips).unwrap(),
    )
    .unwrap()
}

/// Everything that is guarded, in the order in which it is reported.
pub fn cases() -> Vec<Case> {
    let mut cases = pure();
    cases.extend(doors());
    cases
}

/// What needs no server.
fn pure() -> Vec<Case> {
    let hasher = KeyHasher::new([1; 16]);
    let keys = |from: u32| -> Vec<ProfileKey> {
        (0..BATCH as u32).map(|at| hasher.key("ifa", &(from + at * 37).to_string())).collect()
    };
    let batch = {
        let (index, overlay, keys) = (index(false), Overlay::empty(), keys(0));
        let mut answers: Vec<Answer> = (0..BATCH).map(|_| Answer::with_capacity(AUDIENCES as usize)).collect();
        move || index.lookup_batch(black_box(&keys), Timestamp(0), &overlay, &mut answers)
    };
    vec![
        case("64 lookups, known", one_by_one(keys(0), Outcome::Matched)),
        case("64 lookups, unknown", one_by_one(keys(PEOPLE), Outcome::NoProfile)),
        case("a batch of 64 lookups, known", batch),
        case("decide over 500 campaigns", decide()),
        case("a consent string", consent()),
    ]
}

fn one_by_one(keys: Vec<ProfileKey>, outcome: Outcome) -> impl FnMut() {
    let (index, overlay) = (index(false), Overlay::empty());
    let mut answer = Answer::with_capacity(AUDIENCES as usize);
    move || {
        for key in &keys {
            index.lookup(black_box(&[*key]), Timestamp(0), &overlay, &mut answer);
            assert!(answer.outcome == outcome);
        }
    }
}

fn decide() -> impl FnMut() {
    let audiences = (0..300).map(|at| json!({"id": format!("a{at}"), "owner": "o", "kind": "target", "list": true}));
    let campaigns = (0..500u32).map(|at| {
        let other = |step: u32| format!("a{}", (at * step + step) % 300);
        json!({"id": format!("c{at}"), "owner": "o", "status": "active",
            "include": [other(1), other(7)], "exclude": [other(11)]})
    });
    let text = json!({"audiences": audiences.collect::<Vec<_>>(), "campaigns": campaigns.collect::<Vec<_>>()});
    let files = [("f.yaml".into(), text.to_string())];
    let catalogue = definitions::check(&files, &Default::default(), &jiff::tz::TimeZone::UTC).catalogue.unwrap();
    let index = CampaignIndex::new(&catalogue);
    let user: Vec<u32> = (0..300).step_by(7).collect();
    let mut decisions = Decisions::default();
    move || {
        index.decide(Status::Matched, black_box(&user), &user, Timestamp(0), &mut decisions);
        black_box(decisions.all.last());
    }
}

fn consent() -> impl FnMut() {
    let request: Value = serde_json::from_str(REQUEST).unwrap();
    let text = request["user"]["consent"].as_str().unwrap().to_owned();
    let policy = Policy::new(&Privacy { tcf_vendor_id: Some(755), ..Privacy::default() });
    move || {
        let signals = Signals { gdpr: Some(true), tcf: black_box(&text), ..Signals::default() };
        black_box(policy.permission(&signals, PrivacyDuty::Required));
    }
}

/// Somebody in 44 of 60 audiences, whom 20 campaigns want, and 63 others.
fn facts() -> Facts {
    let audiences = (0..60).map(|at| {
        let mut audience = json!({"id": format!("a{at}"), "owner": "o", "kind": "target", "list": true});
        if at % 3 == 0 {
            audience["segment"] = json!({"taxonomy": 4, "id": at.to_string()});
        }
        audience
    });
    let campaigns = (0..20).map(|at| {
        json!({"id": format!("c{at}"), "owner": "o", "status": "active", "include": [format!("a{at}")],
            "exclude": [format!("a{}", 59 - at)]})
    });
    let named: Vec<String> = (0..44).map(|at| format!("o/a{at}")).collect();
    let mut people = vec![json!({"ids": {"liveramp.com": KNOWN, "id.test": "p0"}, "audiences": named})];
    people.extend((1..BATCH).map(|at| json!({"ids": {"id.test": format!("p{at}")}, "audiences": named[at % 20..]})));
    Facts::new(&json!({
        "people": people,
        "definitions": {"audiences": audiences.collect::<Vec<_>>(), "campaigns": campaigns.collect::<Vec<_>>()},
    }))
}

/// A server, and the files that it serves.
type Served = Rc<(Server, Facts)>;

/// What the bid doors do between a body and an answer.
fn doors() -> Vec<Case> {
    let facts = facts();
    let served: Served = Rc::new((facts.serve(), facts));
    let json = format!("{{\"eids\":[{{\"source\":\"liveramp.com\",\"uid\":\"{KNOWN}\"}}]}}");
    let lookup = {
        let (served, body) = (Rc::clone(&served), json.clone());
        move || assert!(lookup_json::answer(served.0.doors(), body.as_bytes(), &Call::local()).unwrap().len() > 400)
    };
    let decide = {
        let served = Rc::clone(&served);
        move || assert!(decide_json::answer(served.0.doors(), json.as_bytes(), &Call::local()).unwrap().len() > 400)
    };
    let mut cases = openrtb(&served);
    cases.extend([case("POST /v1/lookup", lookup), case("POST /v1/decide, 20 campaigns", decide)]);
    cases.extend(grpc(&served));
    cases
}

fn openrtb(served: &Served) -> Vec<Case> {
    // Without a duty to ask for consent, which is a case of its own: this is about somebody who is known.
    let body = REQUEST.replace("\"gdpr\":1", "\"gdpr\":0").replace("\"gpp_sid\":[2]", "\"gpp_sid\":[ ]");
    // Counting makes everything fifty times as slow, and nothing may be answered `late`.
    let body = body.replace("\"tmax\":120", "\"tmax\":60000");
    let body = bytes::Bytes::from(body);
    let headers = Rc::new(HeaderMap::new());
    let enrich = {
        let (served, body, headers) = (Rc::clone(served), body.clone(), Rc::clone(&headers));
        move || {
            let asked = Asked { media: Media::Json, headers: &headers, query: "", body: body.clone() };
            let reply = openrtb_enrich::answer(served.0.doors(), &asked, &Call::local()).unwrap();
            assert!(reply.body.is_some_and(|enriched| enriched.remaining() > body.len()), "known, and in audiences");
        }
    };
    let decide = {
        let served = Rc::clone(served);
        move || {
            let asked = Asked { media: Media::Json, headers: &headers, query: "", body: body.clone() };
            let reply = openrtb_decide::answer(served.0.doors(), &asked, &Call::local()).unwrap();
            assert!(reply.body.is_some_and(|verdicts| verdicts.remaining() > 200));
        }
    };
    vec![case("POST /openrtb2/enrich, 2.7 KB", enrich), case("POST /openrtb2/decide, 2.7 KB", decide)]
}

fn grpc(served: &Served) -> Vec<Case> {
    let eid = |uid: String| v1::Eid { source: "id.test".to_owned(), uid };
    let question = |at: usize| v1::LookupRequest { eids: vec![eid(format!("p{at}"))], ..Default::default() };
    let one = question(0).encode_to_vec();
    let lookups = (0..BATCH).map(question).collect();
    let many = v1::LookupBatchRequest { lookups, numeric_ids: true, ..Default::default() }.encode_to_vec();
    let decided = v1::DecideRequest { eids: vec![eid("p0".to_owned())], ..Default::default() }.encode_to_vec();
    let lookup = {
        let served = Rc::clone(served);
        move || {
            let message = v1::LookupRequest::decode(black_box(&one[..])).unwrap();
            assert!(lookup_proto::answer(served.0.doors(), &message, &Call::local()).unwrap().0.len() > 200);
        }
    };
    let stream = {
        let (served, mut known) = (Rc::clone(served), 0);
        move || {
            let message = v1::LookupBatchRequest::decode(black_box(&many[..])).unwrap();
            let (doors, call) = (served.0.doors(), Call::local());
            let answer = lookup_proto::answer_batch(doors, Door::GrpcLookupStream, &message, &call, &mut known);
            assert!(answer.unwrap().0.len() > 1_000);
        }
    };
    let decide = {
        let served = Rc::clone(served);
        move || {
            let message = v1::DecideRequest::decode(black_box(&decided[..])).unwrap();
            assert!(decide_proto::answer(served.0.doors(), &message, &Call::local()).unwrap().0.len() > 100);
        }
    };
    vec![
        case("gRPC Lookup", lookup),
        case("LookupStream, 64 a message", stream),
        case("gRPC Decide, 20 campaigns", decide),
        case("ARTF GetMutations", propose(served)),
    ]
}

fn propose(served: &Served) -> impl FnMut() + use<> {
    let uid = v2::bid_request::eid::Uid { id: Some("p0".to_owned()), ..Default::default() };
    let eid = v2::bid_request::Eid { source: Some("id.test".to_owned()), uids: vec![uid] };
    let user = v2::bid_request::User { eids: vec![eid], ..Default::default() };
    let sent = v2::BidRequest { id: Some("1".to_owned()), user: Some(user), ..Default::default() };
    let message = RtbRequest {
        id: Some("1".to_owned()),
        bid_request: Some(sent),
        applicable_intents: vec![Intent::ActivateSegments.into()],
        ..Default::default()
    };
    let (asked, served) = (message.encode_to_vec(), Rc::clone(served));
    move || {
        let message = RtbRequest::decode(black_box(&asked[..])).unwrap();
        assert!(artf::answer(served.0.doors(), &message, &Call::local()).unwrap().message.0.len() > 100);
    }
}
