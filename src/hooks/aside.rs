//! What ends a connection from outside: a drain, or a client that says nothing. Both stand aside of the requests and cost
//! them nothing: what waits is polled when it was woken itself, not whenever its connection has something to do, and no
//! timer is set and taken back for every request.

use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often in its limit a silent connection is looked at: it ends at most two looks late.
const LOOKS: u32 = 8;

/// A future that is polled only when it was woken itself, however often its task runs for others.
pub(super) struct Aside<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    /// Rings the bell.
    rope: Waker,
    /// The task that hears it.
    hears: Option<Waker>,
}

/// Rung by whatever the future waits for.
struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        let task = self.task.lock().clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<F: Future> Aside<F> {
    pub fn new(future: F) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: Mutex::new(None) });
        Aside { future: Box::pin(future), rope: Waker::from(Arc::clone(&bell)), bell, hears: None }
    }
}

impl<F: Future> Future for Aside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if !this.hears.as_ref().is_some_and(|task| task.will_wake(context.waker())) {
            this.hears = Some(context.waker().clone());
            this.bell.task.lock().clone_from(&this.hears);
        }
        // Looked at before it is taken back: taking back is dearer, and is needed hardly ever.
        if !this.bell.rung.load(Ordering::Acquire) || !this.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        this.future.as_mut().poll(&mut Context::from_waker(&this.rope))
    }
}

/// What a connection's requests tell its watch: one request at a time, as HTTP/1.1 has it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How often a request has begun or ended: odd while one is under way. One task writes it.
    turns: AtomicU32,
}

impl Heard {
    /// A request begins, or ends.
    pub fn turn(&self) {
        self.turns.store(self.turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

/// Ends when no request was under way for so long: the client sends none, or not all of its head.
pub(super) async fn silence(heard: &Heard, limit: Duration) {
    let (mut seen, mut since) = (heard.turns.load(Ordering::Relaxed), Instant::now());
    loop {
        sleep((limit / LOOKS).max(Duration::from_millis(1))).await;
        let turns = heard.turns.load(Ordering::Relaxed);
        if turns != seen || turns % 2 == 1 {
            (seen, since) = (turns, Instant::now());
        } else if since.elapsed() >= limit {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn it_is_polled_when_it_was_woken_and_at_no_other_time() {
        let (send, mut receive) = oneshot::channel();
        let polls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&polls);
        let mut aside = Aside::new(poll_fn(move |context| {
            counted.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut receive).poll(context)
        }));
        for _ in 0..9 {
            tokio::select! { biased; _ = &mut aside => panic!("nothing was sent"), () = yield_now() => {} }
        }
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        tokio::spawn(async move { send.send(7) });
        assert_eq!((aside.await, polls.load(Ordering::Relaxed)), (Ok(7), 2));
    }

    #[tokio::test]
    async fn it_wakes_the_task_that_it_is_in_now() {
        let (send, receive) = oneshot::channel();
        let mut aside = Aside::new(receive);
        tokio::select! { biased; _ = &mut aside => panic!("nothing was sent"), () = yield_now() => {} }
        let moved = tokio::spawn(aside);
        yield_now().await;
        send.send(7).unwrap();
        assert_eq!(moved.await.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn silence_is_as_long_as_its_limit_and_a_request_is_none() {
        let (heard, began, limit) = (Heard::default(), Instant::now(), Duration::from_millis(400));
        let requests = async {
            heard.turn();
            sleep(2 * limit).await;
            heard.turn();
            std::future::pending::<()>().await;
        };
        tokio::select! { biased; () = requests => {}, () = silence(&heard, limit) => {} }
        assert!(began.elapsed() >= 3 * limit, "{:?}", began.elapsed());
    }
}
