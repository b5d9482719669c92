//! The planner's port over TLS: HTTP/1.1 and gRPC by ALPN, and clients known by their certificates.

use crate::certificates::{Authority, Pair};
use crate::client::{Answer, request};
use crate::world::World;
use crate::{Connector, block_on, equipped, https};
use std::sync::Arc;
use tokio_stream::StreamExt;
use vaglio::access::make::Wanted;
use vaglio::access::{CredentialStore, Role, Who};
use vaglio::config::Config;
use vaglio::schema::{Clock, Timestamp};
use vaglio::server::Server;
use vaglio::wire::v1::event::Said;
use vaglio::wire::v1::event_service_client::EventServiceClient;
use vaglio::wire::v1::{Eid, Event, EventBatch, Objection};

const MUTUAL: &str = "  planner_tls: { certificate: server.pem, key: server.key, client_ca: clients.pem }\ningest: { ids: [{ type: id.test }] }\n";

/// Makes a key; where a certificate stands for it, its text is nobody's.
fn hand_out(world: &World, role: Role, owner: &str, mtls: Option<&str>) -> String {
    let mtls = mtls.map(str::to_owned);
    let wanted = Wanted { role, owner: owner.to_owned(), caller: None, expires: None, comment: None, mtls };
    let (key, made) = wanted.make(&Config::default(), Timestamp(0)).unwrap();
    let store = CredentialStore::of(&world.data());
    let entry = made.entry("keys create");
    store.change(&Who::command_line(), |all| all.add(made, Timestamp(0)).map(|()| ((), entry))).unwrap();
    key.text().to_owned()
}

fn whoami(server: &Server, authority: &Authority, who: Option<&Pair>, headers: &str) -> Answer {
    let mut client = https(server.addresses().planner, &authority.trusted(who, &["http/1.1"]));
    client.send(&request("GET", "/api/v1/whoami", headers, ""));
    client.receive().unwrap()
}

#[test]
fn a_certificate_stands_for_a_key_where_somebody_said_so() {
    let (world, authority) = equipped(MUTUAL);
    hand_out(&world, Role::Planner, "acme", Some("Planner.Acme.test"));
    let text = hand_out(&world, Role::Operator, "*", None);
    let server = world.ready();
    let acme = authority.client("a planner", &["planner.acme.test"]);
    let told = whoami(&server, &authority, Some(&acme), "").json();
    assert_eq!((told["owner"].as_str(), told["role"].as_str()), (Some("acme"), Some("planner")));
    let key = format!("authorization: Bearer {text}\r\n");
    assert_eq!(whoami(&server, &authority, Some(&acme), &key).json()["owner"], "*", "a key wins over a certificate");
    assert_eq!(whoami(&server, &authority, None, &key).status, 200);
    let wrong = "authorization: Bearer vaglio_x\r\n";
    assert_eq!(whoami(&server, &authority, Some(&acme), wrong).status, 401, "a wrong key is not taken for none");
    let stranger = authority.client("somebody", &["somebody.test"]);
    for nobody in [None, Some(&stranger)] {
        assert_eq!(whoami(&server, &authority, nobody, "").status, 401);
    }
    // A browser shows certificates by itself.
    assert_eq!(whoami(&server, &authority, Some(&acme), "sec-fetch-site: cross-site\r\n").status, 403);
    server.shutdown();
}

#[test]
fn events_are_taken_by_grpc_over_tls() {
    let (world, authority) = equipped(MUTUAL);
    hand_out(&world, Role::Ingest, "*", Some("sender.test"));
    let server = world.ready();
    let publish = |who: Option<&Pair>| {
        let connector = Connector(server.addresses().planner, Arc::clone(&authority.trusted(who, &["h2"])));
        block_on(async {
            let endpoint = tonic::transport::Endpoint::from_static("http://localhost");
            let channel = endpoint.connect_with_connector(connector).await.unwrap();
            let eids = vec![Eid { source: "id.test".to_owned(), uid: "fan".to_owned() }];
            let said = Some(Said::Objection(Objection { scope: "all".to_owned() }));
            let event = Event { id: "o1".to_owned(), time_ms: Clock::System.now().0 * 1_000, eids, said };
            let batch = EventBatch { sequence: 7, events: vec![event] };
            let mut answers = match EventServiceClient::new(channel).publish(tokio_stream::iter([batch])).await {
                Ok(answers) => answers.into_inner(),
                Err(status) => return Err(status.code()),
            };
            answers
                .next()
                .await
                .unwrap()
                .map(|told| {
                    assert!(told.rejected.is_empty(), "{told:?}");
                    told.accepted
                })
                .map_err(|status| status.code())
        })
    };
    let sender = authority.client("a sender", &["sender.test"]);
    assert_eq!(publish(Some(&sender)), Ok(1));
    assert_eq!(publish(None), Err(tonic::Code::Unauthenticated));
    server.shutdown();
}
