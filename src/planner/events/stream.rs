//! `EventService.Publish`: batches in, acknowledgements out, in order. As many batches as the window has room for are on
//! their way; then the client's are not read, so that HTTP/2's own flow control makes it wait.

use super::super::reply::{Peer, Refused, shown};
use super::body::MAX_LINES;
use super::line::{Eid, Line, Named, Plain, When};
use super::vocabulary::Vocabulary;
use super::{Batch, Door, Fate, refused};
use crate::access::{Who, roles};
use crate::live::{Answer, Stopped};
use crate::schema::Clock;
use crate::wire::json::Text;
use crate::wire::service::event_service_server::{EventService, EventServiceServer};
use crate::wire::v1::event::Said;
use crate::wire::v1::value::Kind;
use crate::wire::{Code, DESCRIPTORS, v1};
use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::codegen::CompressionEncoding;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};

/// The most bytes of a batch.
const MAX_BATCH_BYTES: usize = 4 << 20;
/// The most batches of a stream that are not acknowledged yet.
const WINDOW: usize = 8;
/// Batches of more events are checked by a thread of their own.
const SMALL: usize = 256;
/// How long to wait before room in the queue is looked for again.
const PAUSE: Duration = Duration::from_millis(2);

/// The paths of the service, and of reflection.
pub(super) fn routes(door: Arc<Door>) -> Router {
    let events = EventServiceServer::new(Publisher(door))
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_BATCH_BYTES);
    let router = Router::new().route_service(&path_of(&events), events);
    let reflection = tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    match reflection.build_v1() {
        Ok(reflection) => router.route_service(&path_of(&reflection), reflection),
        Err(_) => router,
    }
}

fn path_of<S: NamedService>(_: &S) -> String {
    format!("/{}/{{*method}}", S::NAME)
}

/// The service's implementation.
struct Publisher(Arc<Door>);

type Acknowledgements = Pin<Box<dyn Stream<Item = Result<v1::Acknowledged, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for Publisher {
    type PublishStream = Acknowledgements;

    async fn publish(&self, request: Request<Streaming<v1::EventBatch>>) -> Result<Response<Acknowledgements>, Status> {
        let (metadata, extensions, mut batches) = request.into_parts();
        let peer = extensions.get::<Peer>().copied().unwrap_or_default();
        let sender = Sender { door: Arc::clone(&self.0), headers: metadata.into_headers(), peer };
        sender.who()?;
        let (send, receive) = mpsc::channel(WINDOW);
        tokio::spawn(async move {
            loop {
                let next = match batches.message().await {
                    Ok(None) => return,
                    Ok(Some(batch)) => sender.hand_in(batch).await.map_err(Status::from),
                    Err(status) => Err(status),
                };
                let last = next.is_err();
                if last {
                    sender.door.planner.metrics.feed.refused();
                }
                if send.send(next).await.is_err() || last {
                    return;
                }
            }
        });
        let door = Arc::clone(&self.0);
        let acknowledged = ReceiverStream::new(receive).then(move |pending| {
            let door = Arc::clone(&door);
            async move { Ok(pending?.acknowledge(&door).await?) }
        });
        Ok(Response::new(Box::pin(acknowledged)))
    }
}

/// Whoever is at the other end of a stream.
struct Sender {
    door: Arc<Door>,
    headers: HeaderMap,
    peer: Peer,
}

/// A batch whose answer is awaited.
struct Pending {
    sequence: u64,
    batch: Batch,
    answer: Option<Answer>,
}

impl Sender {
    /// Asked for every batch: a key that is taken away ends the stream.
    fn who(&self) -> Result<Who, Refused> {
        self.door.planner.permits(&shown(self.headers.get(AUTHORIZATION), self.peer), roles::INGEST)
    }

    /// Checks a batch and hands it in, as soon as there is room for it.
    async fn hand_in(&self, message: v1::EventBatch) -> Result<Pending, Refused> {
        let (who, words) = (self.who()?, self.door.words()?);
        let sequence = message.sequence;
        if message.events.len() > MAX_LINES {
            let message = format!("the batch has more than {MAX_LINES} events; nothing of it was taken");
            return Err(Refused::new(Code::TooLarge, message, "send them in several batches"));
        }
        let mut batch = if message.events.len() <= SMALL {
            read(&message, &words, &who)
        } else {
            let reading = tokio::task::spawn_blocking(move || read(&message, &words, &who)).await;
            reading.map_err(|_| Refused::new(Code::Internal, "reading a batch failed; the log says where", ""))?
        };
        if !batch.events.is_empty() {
            self.door.closed().map_or(Ok(()), Err)?;
        }
        self.door.object(&mut batch).await?;
        let mut events = std::mem::take(&mut batch.events);
        let Some(intake) = self.door.planner.intake.as_ref().filter(|_| !events.is_empty()) else {
            return Ok(Pending { sequence, batch, answer: None });
        };
        loop {
            match intake.offer(events) {
                Ok(answer) => return Ok(Pending { sequence, batch, answer: Some(answer) }),
                Err(back) => events = back,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Pending {
    async fn acknowledge(self, door: &Door) -> Result<v1::Acknowledged, Refused> {
        let outcomes = match self.answer {
            None => Vec::new(),
            Some(answer) => match answer.await {
                Ok(said) => said.map_err(|stopped| refused(&stopped))?,
                Err(_) => return Err(refused(&Stopped::Failed("the intake is gone".into()))),
            },
        };
        let fates = self.batch.fates(outcomes);
        door.count(&fates);
        let mut said = v1::Acknowledged { sequence: self.sequence, ..v1::Acknowledged::default() };
        for (index, fate) in fates {
            match fate {
                Fate::Accepted(offset) => {
                    said.accepted += 1;
                    said.last_offset = said.last_offset.max(offset.map(|offset| offset.0));
                }
                Fate::Duplicate => said.duplicate += 1,
                Fate::Rejected(reason) => said.rejected.push(v1::RejectedEvent { index, reason }),
            }
        }
        Ok(said)
    }
}

fn read(message: &v1::EventBatch, words: &Vocabulary, who: &Who) -> Batch {
    let (now, mut batch) = (Clock::System.now(), Batch::default());
    for (index, event) in (0..).zip(&message.events) {
        batch.add(index, Ok(line(event)), words, who, now);
    }
    batch
}

/// What a message says, as a line says it.
fn line(event: &v1::Event) -> Line<'_> {
    let mut line = Line {
        id: text(&event.id),
        time: (event.time_ms != 0).then(|| When::Seconds(event.time_ms.div_euclid(1_000))),
        eids: Some(event.eids.iter().map(eid).collect()),
        ..Line::default()
    };
    let kind = match &event.said {
        None => return line,
        Some(Said::Event(said)) => {
            (line.name, line.props) = (text(&said.name), Some(named(&said.props)));
            "event"
        }
        Some(Said::Traits(said)) => {
            line.traits = Some(named(&said.traits));
            "trait"
        }
        Some(Said::Membership(said)) => {
            (line.audience, line.ttl_minutes) = (text(&said.audience), said.ttl_minutes);
            line.remove = Some(said.remove);
            "membership"
        }
        Some(Said::Link(_)) => "link",
        Some(Said::Consent(said)) => {
            line.granted = Some(said.granted);
            "consent"
        }
        Some(Said::Objection(said)) => {
            line.scope = text(&said.scope);
            "objection"
        }
        Some(Said::Exposure(said)) => {
            (line.campaign, line.sort) = (text(&said.campaign), text(&said.kind));
            (line.channel, line.device, line.creative) =
                (text(&said.channel), text(&said.device), text(&said.creative));
            "exposure"
        }
        Some(Said::Signal(said)) => {
            (line.campaign, line.sort) = (text(&said.campaign), text(&said.kind));
            "signal"
        }
    };
    line.kind = text(kind);
    line
}

/// An empty text says nothing.
fn text(text: &str) -> Option<Text<'_>> {
    (!text.is_empty()).then_some(Text(Cow::Borrowed(text)))
}

fn eid(eid: &v1::Eid) -> Eid<'_> {
    Eid { source: Text(Cow::Borrowed(&eid.source)), uid: Text(Cow::Borrowed(&eid.uid)) }
}

/// Sorted: a message's map has no order.
fn named(values: &HashMap<String, v1::Value>) -> Named<'_> {
    let mut named = Named(values.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), plain(value))).collect());
    named.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    named
}

fn plain(value: &v1::Value) -> Plain<'_> {
    match &value.kind {
        None => Plain::Null,
        Some(Kind::Flag(flag)) => Plain::Flag(*flag),
        Some(Kind::Number(number)) => Plain::Number(*number),
        Some(Kind::Text(text)) => Plain::Text(Cow::Borrowed(text)),
        Some(Kind::Tags(tags)) => Plain::List(tags.tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect()),
    }
}
