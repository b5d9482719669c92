//! Target audiences with fewer members than their floor leave by no door, and work in campaigns all the same.

use crate::client::Client;
use crate::scene::World;
use serde_json::{Value, json};
use vaglio::hooks::artf::answer as artf;
use vaglio::hooks::call::Call;
use vaglio::server::Server;
use vaglio::wire::artf::{Intent, RtbRequest, RtbResponse};
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use vaglio::wire::v1::{Eid, LookupBatchRequest, LookupRequest};
use vaglio::wire::v2;

const EIDS: &str = r#"[{"source":"id.test","uid":"fan"}]"#;

/// What each kind of door says of whoever is in `other/fans` alone: one member.
fn told(server: &Server) -> Vec<String> {
    let mut http = Client::connect(server.addresses().http);
    let lookup = http.post("/v1/lookup", &format!("{{\"eids\":{EIDS}}}")).json();
    assert_eq!(lookup["status"], "matched");
    let bid =
        json!({"id": "1", "imp": [{"id": "1"}], "user": {"eids": [{"source": "id.test", "uids": [{"id": "fan"}]}]}});
    let mut all = vec![lookup["audiences"].to_string() + &lookup["segments"].to_string()];
    all.push(http.post("/openrtb2/enrich", &bid.to_string()).json()["user"]["data"].to_string());
    all.push(http.post("/prebid/scope3", &bid.to_string()).body);
    let eids = vec![Eid { source: "id.test".to_owned(), uid: "fan".to_owned() }];
    let one = LookupRequest { eids, ..Default::default() };
    let numbered = LookupBatchRequest { lookups: vec![one.clone()], numeric_ids: true, ..Default::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = AudienceServiceClient::connect(format!("http://{}", server.addresses().grpc)).await.unwrap();
        all.push(format!("{:?}", client.lookup(one).await.unwrap().into_inner().audiences));
        let answer = client.lookup_batch(numbered).await.unwrap().into_inner();
        all.push(format!(
            "{:?} {:?}",
            answer.results[0].numbers,
            answer.dictionary.iter().map(|it| &it.audience).collect::<Vec<_>>()
        ));
    });
    all.push(proposals(server));
    all
}

fn proposals(server: &Server) -> String {
    let uid = v2::bid_request::eid::Uid { id: Some("fan".to_owned()), ..Default::default() };
    let eid = v2::bid_request::Eid { source: Some("id.test".to_owned()), uids: vec![uid] };
    let user = v2::bid_request::User { eids: vec![eid], ..Default::default() };
    let sent = v2::BidRequest { id: Some("1".to_owned()), user: Some(user), ..Default::default() };
    let message = RtbRequest {
        id: Some("1".to_owned()),
        bid_request: Some(sent),
        applicable_intents: vec![Intent::ActivateSegments.into()],
        ..Default::default()
    };
    let encoded = artf(server.doors(), &message, &Call::local()).unwrap().message;
    let answer: RtbResponse = prost::Message::decode(&encoded.0[..]).unwrap();
    format!("{:?}", answer.mutations)
}

fn verdict(server: &Server, campaign: &str) -> Value {
    let body = format!("{{\"eids\":{EIDS},\"campaigns\":[\"{campaign}\"]}}");
    Client::connect(server.addresses().http).post("/v1/decide", &body).json()["campaigns"][0]["verdict"].clone()
}

#[test]
fn what_is_too_small_leaves_by_no_door_and_still_decides() {
    for (floor, is_told) in [(1, true), (2, false)] {
        let world = World::new(&format!("prebid: {{ enabled: true }}\nprotection: {{ activation_floor: {floor} }}\n"));
        let server = world.ready();
        for said in told(&server) {
            assert_eq!(said.contains("fans"), is_told, "floor {floor}: {said}");
        }
        assert_eq!(verdict(&server, "other/upgrade"), "target", "it includes whom it names, however few");
    }
}
