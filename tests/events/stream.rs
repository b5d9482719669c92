//! `EventService.Publish`, on the port that speaks HTTP/1.1 too.

use crate::port::{Place, Port, With, line};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request};
use vaglio::access::{Key, Role};
use vaglio::schema::Clock;
use vaglio::wire::v1::event::Said;
use vaglio::wire::v1::event_service_client::EventServiceClient;
use vaglio::wire::v1::{Acknowledged, Eid, Event, EventBatch, Happened, Objection, Value, value::Kind};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn connect(port: &Port) -> EventServiceClient<Channel> {
    EventServiceClient::connect(format!("http://{}", port.address)).await.unwrap()
}

fn event(id: &str) -> Event {
    let part = Value { kind: Some(Kind::Text("screen".to_owned())) };
    let happened = Happened { name: "device_broken".to_owned(), props: [("part".to_owned(), part)].into() };
    Event {
        id: id.to_owned(),
        time_ms: Clock::System.now().0 * 1_000,
        eids: vec![Eid { source: "crm".to_owned(), uid: "c1".to_owned() }],
        said: Some(Said::Event(happened)),
    }
}

fn batch(sequence: u64, events: Vec<Event>) -> EventBatch {
    EventBatch { sequence, events }
}

async fn publish(port: &Port, batches: Vec<EventBatch>) -> Vec<Result<Acknowledged, Code>> {
    let mut answers = connect(port).await.publish(tokio_stream::iter(batches)).await.unwrap().into_inner();
    let mut said = Vec::new();
    while let Some(answer) = answers.next().await {
        said.push(answer.map_err(|status| status.code()));
    }
    said
}

#[test]
fn batches_are_acknowledged_in_order_with_their_offsets() {
    let place = Place::new();
    let port = place.start(&With::default());
    let batches = (0..50).map(|n| batch(n, (0..40).map(|m| event(&format!("{n}-{m}"))).collect())).collect();
    let said = block_on(publish(&port, batches));
    let said: Vec<Acknowledged> = said.into_iter().map(Result::unwrap).collect();
    assert_eq!(said.iter().map(|ack| ack.sequence).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    assert!(said.iter().all(|ack| ack.accepted == 40 && ack.last_offset == Some(ack.sequence * 40 + 39)), "{said:?}");
    assert_eq!(place.records(), 2_000);
    // What came as a message is known when it comes as a line.
    assert_eq!(port.post(&line("49-39")).json()["duplicate"], 1);
}

#[test]
fn wrong_events_are_told_by_their_place_and_objections_go_their_way() {
    let place = Place::new();
    let port = place.start(&With::default());
    let nameless = Event { said: None, ..event("x") };
    let objects = Event { said: Some(Said::Objection(Objection { scope: "all".to_owned() })), ..event("o") };
    let said =
        block_on(publish(&port, vec![batch(7, vec![event("a"), nameless, event("a"), objects]), batch(8, Vec::new())]));
    let first = said[0].as_ref().unwrap();
    assert_eq!((first.accepted, first.duplicate, first.last_offset), (2, 1, Some(0)));
    assert_eq!((first.rejected.len(), first.rejected[0].index), (1, 1));
    assert!(first.rejected[0].reason.contains("`type` is missing"));
    assert_eq!(port.objected.lock().len(), 1);
    assert_eq!(said[1].as_ref().unwrap().sequence, 8);
}

#[test]
fn a_full_queue_makes_a_stream_wait_and_loses_nothing() {
    let place = Place::new();
    let port = place.start(&With { ingest: "  queue_bytes: 1048576\n", ..With::default() });
    let held = port.slow.lock();
    block_on(async {
        let (send, receive) = mpsc::channel(64);
        let mut answers = connect(&port).await.publish(ReceiverStream::new(receive)).await.unwrap().into_inner();
        let sending = tokio::spawn(async move {
            for n in 0..20 {
                let events = (0..2_000).map(|m| event(&format!("{n}-{m}"))).collect();
                send.send(batch(n, events)).await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(port.intake.as_ref().unwrap().state().queued_bytes <= 1 << 20);
        drop(held);
        for n in 0..20 {
            let said = answers.next().await.unwrap().unwrap();
            assert_eq!((said.sequence, said.accepted), (n, 2_000));
        }
        sending.await.unwrap();
    });
    assert_eq!(place.records(), 40_000);
}

#[test]
fn a_stream_needs_a_key_and_an_open_door() {
    let place = Place::new();
    let port = place.start(&With { top: "as_of: 2026-11-20", ..With::default() });
    let said = block_on(publish(&port, vec![batch(1, vec![event("a")])]));
    assert_eq!(said, [Err(Code::FailedPrecondition)]);

    let (place, key) = (Place::new(), Key::random().unwrap());
    let port = place.start(&With { keys: &[(&key, Role::Ingest)], ..With::default() });
    block_on(async {
        let mut client = connect(&port).await;
        let refused = client.publish(tokio_stream::iter([batch(1, Vec::new())])).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
        let mut request = Request::new(tokio_stream::iter([batch(1, vec![event("a")])]));
        request.metadata_mut().insert("authorization", format!("Bearer {}", key.text()).parse().unwrap());
        let said = client.publish(request).await.unwrap().into_inner().next().await.unwrap().unwrap();
        assert_eq!(said.accepted, 1);
    });
}
