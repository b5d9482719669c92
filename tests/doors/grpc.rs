//! The gRPC doors: every status, verdicts, batches, streams, wrong input, health and reflection.

use crate::world::{AS_OF, IFA, World};
use std::future::Future;
use std::time::Duration;
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use vaglio::server::Server;
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use vaglio::wire::v1::{DecideRequest, Eid, LookupBatchRequest, LookupRequest, Privacy, Status, Verdict};

type Client = AudienceServiceClient<Channel>;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub async fn connect(server: &Server) -> Client {
    AudienceServiceClient::connect(format!("http://{}", server.addresses().grpc)).await.unwrap()
}

fn eids(uids: &[&str]) -> Vec<Eid> {
    uids.iter().map(|uid| Eid { source: "id.test".to_owned(), uid: (*uid).to_owned() }).collect()
}

pub fn question(uids: &[&str]) -> LookupRequest {
    LookupRequest { eids: eids(uids), ..Default::default() }
}

/// What the gRPC port says to bytes, until it closes the connection.
fn closed_after(server: &Server, bytes: &[u8]) -> Duration {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server.addresses().grpc).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let began = std::time::Instant::now();
    // The server may have closed it already.
    let _ = stream.write_all(bytes);
    let mut heard = Vec::new();
    let ended = stream.read_to_end(&mut heard);
    assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    began.elapsed()
}

#[test]
fn connections_that_do_not_begin_are_cut() {
    let world = World::new("  idle_timeout_ms: 300\n");
    let server = world.ready();
    for silent in [&b""[..], b"PRI * HTTP"] {
        let took = closed_after(&server, silent);
        assert!((Duration::from_millis(250)..Duration::from_secs(5)).contains(&took), "{took:?}");
    }
    block_on(async {
        let mut client = connect(&server).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let answer = client.lookup(question(&["gamer"])).await.unwrap().into_inner();
        assert_eq!(answer.status(), Status::Matched, "who has begun may be idle");
    });
}

#[test]
fn connections_over_the_limit_are_closed() {
    let world = World::new("  max_connections: 1\n");
    let server = world.ready();
    block_on(async {
        let mut first = connect(&server).await;
        assert_eq!(first.lookup(question(&["gamer"])).await.unwrap().into_inner().status(), Status::Matched);
        assert!(closed_after(&server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") < Duration::from_secs(5));
        let metrics = crate::client::get(server.addresses().planner, "/metrics").body;
        assert!(metrics.contains("vaglio_grpc_connections 1\n"), "{metrics}");
        assert!(metrics.contains("vaglio_connections_shed_total 1\n"), "{metrics}");
        assert_eq!(first.lookup(question(&["gamer"])).await.unwrap().into_inner().status(), Status::Matched);
    });
}

#[test]
fn a_call_whose_message_does_not_arrive_ends() {
    let world = World::new("  body_timeout_ms: 200\n");
    let server = world.ready();
    block_on(async {
        let address = format!("http://{}", server.addresses().grpc);
        let channel = tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap();
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.unwrap();
        let path = tonic::codegen::http::uri::PathAndQuery::from_static("/vaglio.v1.AudienceService/Lookup");
        let codec = tonic_prost::ProstCodec::<LookupRequest, vaglio::wire::v1::LookupResponse>::default();
        let nothing = tonic::Request::new(tokio_stream::pending());
        let refused = client.client_streaming(nothing, path, codec).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Cancelled, "{refused:?}");
        let mut streams = connect(&server).await;
        let (send, receive) = tokio::sync::mpsc::channel(1);
        let stream = tokio_stream::wrappers::ReceiverStream::new(receive);
        let mut answers = streams.lookup_stream(stream).await.unwrap().into_inner();
        tokio::time::sleep(Duration::from_millis(400)).await;
        send.send(LookupBatchRequest { lookups: vec![question(&["gamer"])], ..Default::default() }).await.unwrap();
        assert_eq!(answers.next().await.unwrap().unwrap().results.len(), 1, "a stream may pause");
    });
}

#[test]
fn every_status_of_a_lookup() {
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let private = |privacy| LookupRequest { privacy: Some(privacy), ..question(&["gamer"]) };
        for (request, status) in [
            (question(&["gamer"]), Status::Matched),
            (LookupRequest { ifa: IFA.to_owned(), ..Default::default() }, Status::Matched),
            (question(&["stranger"]), Status::NoProfile),
            (question(&[]), Status::NoId),
            (question(&["gamer", "ghost"]), Status::Blocked),
            (question(&["refuser"]), Status::NoConsent),
            (private(Privacy { gdpr: Some(true), ..Default::default() }), Status::NoConsent),
            (private(Privacy { gdpr: Some(false), ..Default::default() }), Status::Matched),
            (private(Privacy { gpp_sid: vec![7], ..Default::default() }), Status::NoConsent),
        ] {
            let answer = client.lookup(request.clone()).await.unwrap().into_inner();
            assert_eq!(answer.status(), status, "{request:?}");
            assert_eq!((answer.generation, answer.as_of.as_str(), answer.stale), (1, AS_OF, false));
            if status == Status::Matched {
                assert_eq!(answer.audiences, ["acme/gamers", "acme/movers", "acme/odd"]);
                assert_eq!((answer.segments.len(), answer.segments[0].taxonomy), (1, Some(4)));
            } else {
                assert!(answer.audiences.is_empty() && answer.segments.is_empty());
            }
        }
    });
}

#[test]
fn a_question_that_trickles_in_is_late() {
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let channel = Channel::from_shared(format!("http://{}", server.addresses().grpc)).unwrap();
        let mut grpc = tonic::client::Grpc::new(channel.connect().await.unwrap());
        grpc.ready().await.unwrap();
        // The headers now, the one message later.
        let slow = tokio_stream::iter([LookupRequest { tmax_ms: 20, ..question(&["gamer"]) }])
            .throttle(Duration::from_millis(1));
        let slow = tokio_stream::StreamExt::then(slow, |message| async move {
            tokio::time::sleep(Duration::from_millis(80)).await;
            message
        });
        let path = "/vaglio.v1.AudienceService/Lookup".parse().unwrap();
        let codec = tonic_prost::ProstCodec::<LookupRequest, vaglio::wire::v1::LookupResponse>::default();
        let answer = grpc.client_streaming(tonic::Request::new(slow), path, codec).await.unwrap().into_inner();
        assert_eq!(answer.status(), Status::Late);
    });
}

#[test]
fn verdicts_and_their_reasons() {
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let all = client.decide(DecideRequest { eids: eids(&["hater"]), ..Default::default() }).await.unwrap();
        let all: Vec<_> = all.get_ref().campaigns.iter().map(|it| (&*it.id, it.verdict(), &*it.reason)).collect();
        let expected = [
            ("acme/everyone", Verdict::Target, ""),
            ("acme/upgrade", Verdict::Suppress, "excluded"),
            ("other/upgrade", Verdict::Suppress, "not_in_target"),
        ];
        assert_eq!(all, expected);
        let named = |name: &str| DecideRequest {
            eids: eids(&["gamer"]),
            campaigns: vec![name.to_owned()],
            ..Default::default()
        };
        let one = client.decide(named("ttd:998")).await.unwrap().into_inner();
        assert_eq!((one.campaigns[0].id.as_str(), one.campaigns[0].asked.as_str()), ("acme/upgrade", "ttd:998"));
        assert_eq!((one.status(), one.generation), (Status::Matched, 1));
        let absent = client.decide(named("no/such")).await.unwrap_err();
        assert_eq!(absent.code(), tonic::Code::NotFound);
        assert!(absent.message().contains("no/such"), "{absent}");
        assert_eq!(client.decide(named("998")).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    });
}

#[test]
fn a_batch_answers_what_single_lookups_answer() {
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let lookups = vec![
            question(&["gamer"]),
            question(&["stranger", "hater"]),
            question(&[]),
            question(&["objector"]),
            question(&["fan", "gamer"]),
            question(&["stranger"]),
            LookupRequest { privacy: Some(Privacy { gpc: Some(true), ..Default::default() }), ..question(&["fan"]) },
            question(&["fan"]),
        ];
        let ask = |numeric_ids, known_generation| LookupBatchRequest {
            lookups: lookups.clone(),
            numeric_ids,
            known_generation,
        };
        let names = client.lookup_batch(ask(false, 0)).await.unwrap().into_inner();
        let numbers = client.lookup_batch(ask(true, 0)).await.unwrap().into_inner();
        assert!(names.dictionary.is_empty());
        assert_eq!((names.results.len(), numbers.results.len(), names.generation), (8, 8, 1));
        assert!(numbers.dictionary.iter().all(|entry| entry.audience != "acme/haters"));
        for ((lookup, named), numbered) in lookups.iter().zip(&names.results).zip(&numbers.results) {
            let single = client.lookup(lookup.clone()).await.unwrap().into_inner();
            assert_eq!((named.status, &named.audiences), (single.status, &single.audiences));
            assert_eq!((numbered.status, &named.segments), (single.status, &single.segments));
            let spelt = numbered.numbers.iter().map(|&number| &numbers.dictionary[number as usize].audience);
            assert!(spelt.eq(&single.audiences) && numbered.audiences.is_empty());
        }
        assert!(client.lookup_batch(ask(true, 1)).await.unwrap().get_ref().dictionary.is_empty());
    });
}

#[test]
fn a_stream_answers_in_order_and_sends_the_dictionary_once_a_generation() {
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let (send, receive) = tokio::sync::mpsc::channel(4);
        let requests = tokio_stream::wrappers::ReceiverStream::new(receive);
        let mut answers = client.lookup_stream(requests).await.unwrap().into_inner();
        let ask = |uid: &str| LookupBatchRequest {
            lookups: vec![question(&[uid]); 200],
            numeric_ids: true,
            ..Default::default()
        };
        for (at, uid) in ["gamer", "stranger", "gamer", "gamer"].into_iter().enumerate() {
            if at == 3 {
                world.publish();
                crate::world::wait_until("generation 2", || {
                    server.doors().live.load().served.as_ref().is_some_and(|served| served.generation().0 == 2)
                });
            }
            send.send(ask(uid)).await.unwrap();
            let answer = answers.next().await.unwrap().unwrap();
            assert_eq!(answer.dictionary.is_empty(), at == 1 || at == 2, "message {at}");
            assert_eq!((answer.results.len(), answer.generation), (200, if at == 3 { 2 } else { 1 }));
            let status = if uid == "gamer" { Status::Matched } else { Status::NoProfile };
            assert!(answer.results.iter().all(|result| result.status() == status));
        }
    });
}

#[test]
fn wrong_messages_get_the_right_status() {
    let world = World::new("  max_ids: 3\n  max_batch: 5\n  max_body_bytes: 2000\n");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let many_ids = client.lookup(question(&["a"; 4])).await;
        assert_eq!(code(many_ids), tonic::Code::InvalidArgument);
        let batch = |count| LookupBatchRequest { lookups: vec![question(&["gamer"]); count], ..Default::default() };
        assert_eq!(code(client.lookup_batch(batch(6)).await), tonic::Code::InvalidArgument);
        assert_eq!(client.lookup_batch(batch(5)).await.unwrap().get_ref().results.len(), 5);
        let mut stream = client.lookup_stream(tokio_stream::iter([batch(1), batch(6)])).await.unwrap().into_inner();
        assert!(stream.next().await.unwrap().is_ok());
        assert_eq!(stream.next().await.unwrap().unwrap_err().code(), tonic::Code::InvalidArgument);
        let huge = "x".repeat(2001);
        assert_eq!(code(client.lookup(question(&[&huge])).await), tonic::Code::OutOfRange);
        assert_eq!(garbage(&server).await.code(), tonic::Code::InvalidArgument);
        assert_eq!(no_such_method(&server).await.code(), tonic::Code::Unimplemented);
        assert!(client.lookup(question(&["gamer"])).await.is_ok(), "the connection goes on");
    });
}

fn code<T>(result: Result<T, tonic::Status>) -> tonic::Code {
    result.err().unwrap().code()
}

/// A message that is no protobuf of the method's type: a field of the wrong wire type.
async fn garbage(server: &Server) -> tonic::Status {
    raw(server, "/vaglio.v1.AudienceService/Lookup").await
}

async fn no_such_method(server: &Server) -> tonic::Status {
    raw(server, "/vaglio.v1.AudienceService/Guess").await
}

async fn raw(server: &Server, path: &'static str) -> tonic::Status {
    let channel = Channel::from_shared(format!("http://{}", server.addresses().grpc)).unwrap();
    let mut grpc = tonic::client::Grpc::new(channel.connect().await.unwrap());
    grpc.ready().await.unwrap();
    // Field 1 as a number; the method expects messages in it.
    let wrong = vaglio::wire::codec::Encoded(vec![0x08, 0x01]);
    let codec = tonic_prost::ProstCodec::<_, vaglio::wire::v1::LookupResponse>::default();
    grpc.unary(tonic::Request::new(wrong), path.parse().unwrap(), codec).await.unwrap_err()
}

#[test]
fn without_a_generation_everything_is_not_ready_and_health_says_so() {
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
    let world = World::empty("");
    let server = world.serve();
    block_on(async {
        let mut client = connect(&server).await;
        let answer = client.lookup(question(&["gamer"])).await.unwrap().into_inner();
        assert_eq!((answer.status(), answer.generation), (Status::NotReady, 0));
        let batch = LookupBatchRequest { lookups: vec![question(&["gamer"]); 2], ..Default::default() };
        let answer = client.lookup_batch(batch).await.unwrap().into_inner();
        assert!(answer.results.iter().all(|result| result.status() == Status::NotReady));
        let ask = DecideRequest { campaigns: vec!["acme/upgrade".to_owned()], ..Default::default() };
        let answer = client.decide(ask).await.unwrap().into_inner();
        assert_eq!((answer.campaigns[0].verdict(), &*answer.campaigns[0].reason), (Verdict::Unknown, "not_ready"));
        let channel = Channel::from_shared(format!("http://{}", server.addresses().grpc)).unwrap();
        let mut health = HealthClient::new(channel.connect().await.unwrap());
        let ask = HealthCheckRequest { service: "vaglio.v1.AudienceService".to_owned() };
        let mut watch = health.watch(ask).await.unwrap().into_inner();
        let mut state = ServingStatus::Unknown;
        world.publish();
        while state != ServingStatus::Serving {
            state = watch.next().await.unwrap().unwrap().status();
        }
        assert_eq!(client.lookup(question(&["gamer"])).await.unwrap().get_ref().status(), Status::Matched);
    });
}

#[test]
fn the_service_describes_itself() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let world = World::new("");
    let server = world.ready();
    block_on(async {
        let channel = Channel::from_shared(format!("http://{}", server.addresses().grpc)).unwrap();
        let mut client = ServerReflectionClient::new(channel.connect().await.unwrap());
        let request = tonic_reflection::pb::v1::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut answers = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
        let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
        let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
        let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert!(names.contains(&"vaglio.v1.AudienceService"), "{names:?}");
    });
}
