//! Answers that take their time: how far they are where that is asked for (`Accept: application/x-ndjson`), broken off when the
//! asker goes away, and few at once, because bids come first.
//!
//! A progress line is `{"progress":0.4}`, the last line `{"result":{...}}` or `{"problem":{...}}`.

use super::reply::{Problem, Refused, json};
use crate::access::Who;
use crate::evaluate::survey::Watch;
use crate::wire::Code;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

/// Questions that are answered at once, of all and of one owner.
const MOST: u32 = 8;
const MOST_OF_ONE: u32 = 4;
/// Between two lines of progress.
const BETWEEN: Duration = Duration::from_millis(200);
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// The form of lines.
const LINES: &str = "application/x-ndjson";

/// The questions that are being answered.
#[derive(Debug, Default)]
pub struct Places(Arc<Mutex<HashMap<Option<String>, u32>>>);

/// A place among them, until it is dropped.
struct Place {
    of: Arc<Mutex<HashMap<Option<String>, u32>>>,
    owner: Option<String>,
}

impl Places {
    fn take(&self, owner: Option<&str>) -> Result<Place, Refused> {
        let mut taken = self.0.lock();
        let owner = owner.map(str::to_owned);
        let (all, own) = (taken.values().sum::<u32>(), taken.get(&owner).copied().unwrap_or(0));
        if all >= MOST || own >= MOST_OF_ONE {
            let message = format!("{} questions are being answered", if all >= MOST { all } else { own });
            let refused = Refused::new(Code::Overloaded, message, "ask again when one of them is done");
            return Err(refused.retry_after(1));
        }
        *taken.entry(owner.clone()).or_default() += 1;
        Ok(Place { of: Arc::clone(&self.0), owner })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.lock();
        if let Some(count) = taken.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.owner);
            }
        }
    }
}

/// Breaks off what is watched when nobody waits for it any more.
struct Waiting(Arc<Watch>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A body of at most so many bytes.
///
/// # Errors
/// A longer one, or one that does not arrive.
pub(super) async fn read(body: Body, most: usize) -> Result<Bytes, Refused> {
    match timeout(PATIENCE, to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let message = format!("the body cannot be read, or has more than {most} bytes");
            Err(Refused::new(Code::TooLarge, message, "ask for less at once"))
        }
        Err(_) => Err(Refused::new(Code::Timeout, "the body did not arrive within 30 seconds", "send it again")),
    }
}

/// Answers a question where it holds nobody up: as JSON, or as lines where those are accepted.
///
/// # Errors
/// Too much is asked at once; what `work` refuses.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    places: &Places,
    who: &Who,
    headers: &HeaderMap,
    work: impl FnOnce(&Watch) -> Result<T, Refused> + Send + 'static,
) -> Result<Response, Refused> {
    let place = places.take(who.owner.as_deref())?;
    let watch = Arc::new(Watch::default());
    let watched = Arc::clone(&watch);
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        work(&watched)
    });
    let waiting = Waiting(watch);
    if accepts_lines(headers) {
        let (lines, receiver) = mpsc::channel(4);
        tokio::spawn(report(task, waiting, lines));
        let body = Body::from_stream(ReceiverStream::new(receiver));
        return Ok((StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static(LINES))], body).into_response());
    }
    let done = joined(task.await)?;
    drop(waiting);
    Ok(json(StatusCode::OK, &done))
}

fn accepts_lines(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|form| form.split(';').next().is_some_and(|form| form.trim().eq_ignore_ascii_case(LINES)))
    })
}

fn joined<T>(done: Result<Result<T, Refused>, tokio::task::JoinError>) -> Result<T, Refused> {
    done.unwrap_or_else(|_| {
        Err(Refused::new(Code::Internal, "the server failed on this request; its log says where", ""))
    })
}

/// What the last line says.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Last<T> {
    Result(T),
    Problem(Problem),
}

#[derive(Serialize)]
struct Progress {
    progress: f64,
}

/// Sends lines until the answer is there, or nobody reads them.
async fn report<T: Serialize>(
    mut task: JoinHandle<Result<T, Refused>>,
    waiting: Waiting,
    lines: mpsc::Sender<Result<Bytes, Infallible>>,
) {
    loop {
        tokio::select! {
            done = &mut task => {
                let last = match joined(done) {
                    Ok(result) => line(&Last::Result(result)),
                    Err(refused) => line(&Last::<T>::Problem(refused.into())),
                };
                // Whoever has gone away needs no answer.
                let _ = lines.send(Ok(last)).await;
                return;
            }
            () = tokio::time::sleep(BETWEEN) => {
                let progress = (waiting.0.progress() * 1_000.0).round() / 1_000.0;
                if lines.send(Ok(line(&Progress { progress }))).await.is_err() {
                    return;
                }
            }
            () = lines.closed() => return,
        }
    }
}

fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// What is said when a question was broken off.
pub(super) fn broken_off() -> Refused {
    Refused::new(Code::Unavailable, "the question was broken off", "ask it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn anybody() -> Who {
        Who { name: "k".to_owned(), owner: Some("acme".to_owned()), role: None }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn until_broken_off(seen: Arc<AtomicBool>) -> impl FnOnce(&Watch) -> Result<u32, Refused> + Send + 'static {
        move |watch| {
            while !watch.is_cancelled() {
                std::thread::sleep(Duration::from_millis(2));
            }
            seen.store(true, Ordering::SeqCst);
            Err(broken_off())
        }
    }

    #[test]
    fn whoever_goes_away_breaks_it_off_and_frees_the_place() {
        let (places, seen) = (Places::default(), Arc::new(AtomicBool::new(false)));
        runtime().block_on(async {
            let (headers, who) = (HeaderMap::new(), anybody());
            let work = answer(&places, &who, &headers, until_broken_off(Arc::clone(&seen)));
            assert!(timeout(Duration::from_millis(50), work).await.is_err(), "it goes on until nobody waits");
        });
        assert!(seen.load(Ordering::SeqCst));
        assert!(places.0.lock().is_empty());
    }

    #[test]
    fn lines_tell_how_far_it_is_then_the_result_and_a_reader_that_goes_away_breaks_it_off() {
        let (places, seen) = (Places::default(), Arc::new(AtomicBool::new(false)));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json;q=0.5, application/X-NDJSON"));
        runtime().block_on(async {
            let slow = |watch: &Watch| {
                watch.expect(2);
                watch.step();
                std::thread::sleep(BETWEEN * 2);
                Ok(7)
            };
            let response = answer(&places, &anybody(), &headers, slow).await.unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], LINES);
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(text.starts_with("{\"progress\":0.5}\n") && text.ends_with("{\"result\":7}\n"), "{text}");
            let work = until_broken_off(Arc::clone(&seen));
            drop(answer(&places, &anybody(), &headers, work).await.unwrap());
            while !seen.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(seen.load(Ordering::SeqCst));
    }

    #[test]
    fn few_at_once_and_fewer_of_one_owner() {
        let places = Places::default();
        let mut held: Vec<Place> = (0..4).map(|_| places.take(Some("acme")).unwrap()).collect();
        let refused = places.take(Some("acme")).err().unwrap();
        assert_eq!((refused.failure.code, refused.retry_after), (Code::Overloaded, Some(1)));
        held.extend((0..4).map(|_| places.take(None).unwrap()));
        assert!(places.take(Some("other")).is_err(), "eight in all");
        held.clear();
        assert!(places.take(Some("other")).is_ok() && places.0.lock().is_empty());
    }
}
