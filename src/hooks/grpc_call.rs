//! What all requests of the gRPC port have in common, whatever service they are for: when they arrived, who asks, how long
//! they wait, and what they may be compressed with.

use super::admission::{Entry, PLACE_KEPT, UnderWay, enter};
use super::call::Call;
use super::grpc_port::PeerInfo;
use super::routes::bearer;
use super::{Door, Doors};
use crate::access::Shown;
use crate::wire::Failure;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};
use tonic::Request;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

/// Lets requests in as soon as their headers have arrived, and counts them until the answer is there, or until they have
/// waited for too long for their message.
#[derive(Debug, Clone)]
pub(super) struct Arriving<S> {
    /// What answers.
    pub(super) service: S,
    /// What counts.
    pub(super) doors: Arc<Doors>,
}

/// A request under way. Whoever is slow to send its message loses its place.
pub(super) struct Answering<F> {
    answer: F,
    place: Option<UnderWay<Arc<Doors>>>,
    /// Since its message has not come with its head.
    waits: Option<Pin<Box<Sleep>>>,
}

impl<F: Future + Unpin> Future for Answering<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Answering { answer, place, waits } = &mut *self;
        let polled = Pin::new(answer).poll(context);
        if polled.is_pending() && place.is_some() {
            let waits = waits.get_or_insert_with(|| Box::pin(sleep(PLACE_KEPT)));
            if waits.as_mut().poll(context).is_ready() {
                *place = None;
            }
        }
        polled
    }
}

impl<S, B> Service<http::Request<B>> for Arriving<S>
where
    S: Service<http::Request<B>>,
    S::Future: Unpin,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let (entry, place) = enter(Arc::clone(&self.doors), false);
        let headers = request.headers_mut();
        // Many clients say always that they could read gzip; it is worth its time to those who write it.
        if !headers.contains_key("grpc-encoding") {
            headers.remove("grpc-accept-encoding");
        }
        request.extensions_mut().insert(entry);
        Answering { answer: self.service.call(request), place: Some(place), waits: None }
    }
}

impl<S: NamedService> NamedService for Arriving<S> {
    const NAME: &'static str = S::NAME;
}

/// Who sends a request, since when, and how long it waits. A request that is shed or refused is counted here.
///
/// # Errors
/// A credential that is none.
pub(super) fn call<'r, T>(doors: &Doors, door: Door, request: &'r Request<T>) -> Result<Call<'r>, Failure> {
    let entry = request.extensions().get::<Entry>().copied().unwrap_or_else(|| enter(doors, false).0);
    let timeout = request.metadata().get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
    let shown = shown(request).inspect_err(|failure| doors.count(door, entry.arrived, Some(failure)))?;
    Ok(Call { door, shown, arrived: entry.arrived, timeout, shed: doors.sheds(door, entry) })
}

/// What a request shows of who asks.
///
/// # Errors
/// A credential that is none.
pub(super) fn shown<T>(request: &Request<T>) -> Result<Shown<'_>, Failure> {
    let peer = request.extensions().get::<PeerInfo>();
    let key = match request.metadata().get("authorization") {
        Some(value) => bearer(Some(value.as_encoded_bytes()))?,
        None => None,
    };
    let names: &[String] = peer.map_or(&[], |peer| &peer.names);
    Ok(Shown { key, names, loopback: peer.is_some_and(|peer| peer.loopback), certificate: None })
}

/// `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_come_in_six_units() {
        let cases = [
            ("2H", Some(Duration::from_secs(7_200))),
            ("3M", Some(Duration::from_secs(180))),
            ("99999999S", Some(Duration::from_secs(99_999_999))),
            ("20m", Some(Duration::from_millis(20))),
            ("5u", Some(Duration::from_micros(5))),
            ("7n", Some(Duration::from_nanos(7))),
            ("100000000n", None),
            ("", None),
            ("m", None),
            ("-1m", None),
            ("5", None),
            ("5µ", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(timeout(text), wanted, "{text}");
        }
    }
}
