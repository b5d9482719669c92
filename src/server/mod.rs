//! The composition root: listeners, runtimes, the child builder, readiness, drain.
//!
//! Two runtimes: bids have one, the planner's port another. Threads beside them: [`watcher`] takes new generations
//! and [`keys`] into service, [`builder`] runs builds in a child process, [`statistics`] keeps what is counted; [`feed`] is what comes between builds. Nothing they do waits in the way of a bid.

mod bell;
mod builder;
mod counting;
mod feed;
mod keys;
mod listeners;
mod standing;
mod statistics;
mod tls;
mod watcher;

use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::hooks::{Doors, admission, grpc, http};
use crate::live;
use crate::planner;
use crate::snapshot::Store;
use builder::board::Board;
use builder::{Feeding, publish};
use feed::{Fed, Feed};
use listeners::Listeners;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How a server is run, beyond its configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether it builds generations, or only serves those that somebody else builds.
    pub build: bool,
    /// Whether it waits with that until [`Server::begin_building`].
    pub build_later: bool,
    /// The program that builds; `None` = this one.
    pub program: Option<PathBuf>,
    /// How often it looks for a new generation.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { build: true, build_later: false, program: None, poll: Duration::from_millis(500) }
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    doors: Arc<Doors>,
    addresses: Addresses,
    bids: Runtime,
    planner: Runtime,
    listening: JoinSet<()>,
    drain: watch::Sender<bool>,
    background: Vec<Background>,
    drain_limit: Duration,
    feed: Option<Arc<Feed>>,
    statistics: Arc<statistics::Statistics>,
    board: Arc<Board>,
    /// What builds once it may; `None` when it does, or never will.
    waiting: Option<Building>,
}

/// What the threads that build work with.
#[derive(Debug)]
struct Building {
    loaded: Loaded,
    store: Store,
    doors: Arc<Doors>,
    board: Arc<Board>,
    program: Option<PathBuf>,
    feed: Option<Arc<Feed>>,
}

/// Where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// gRPC.
    pub grpc: SocketAddr,
    /// Bid HTTP.
    pub http: SocketAddr,
    /// Planner and metrics.
    pub planner: SocketAddr,
}

/// A thread that ends when its sender is dropped.
#[derive(Debug)]
struct Background {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Listens and answers at once; `not_ready` until a generation is loaded. Must not be called on a runtime's thread.
    ///
    /// # Errors
    /// A port that is taken (all of them are named), keys or certificates that cannot be used, or a machine that refuses threads.
    pub fn start(loaded: Loaded, options: Options) -> Result<Server> {
        let settings = loaded.config.server.clone();
        let store = Store::open(&loaded.config.data_dir)?.with_huge_pages(loaded.config.server.huge_pages);
        let tls = settings.tls.as_ref().map(|tls| tls::Acceptors::load(tls, "tls")).transpose()?;
        let guarded = settings.planner_tls.as_ref().map(|tls| tls::Acceptors::load(tls, "planner_tls")).transpose()?;
        let listeners = Listeners::bind(&settings)?;
        let addresses = listeners.addresses()?;
        let workers = match settings.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        };
        let (bids, planner) = (runtime("bid", workers, || ())?, runtime("planner", 1, live::let_bids_go_first)?);
        let doors = Doors::new(&loaded.config);
        let keys = keys::Keys::load(&loaded.config, Arc::clone(&doors))?;
        // Before anybody is answered: who objects is not spoken to, from the first request on.
        let keeper = Arc::new(standing::keeper(&loaded, &store, &doors)?);
        let drain = watch::Sender::new(false);
        let feed = Feed::open(&loaded, &store, &doors)?;
        if let Some(feed) = &feed {
            let forgets = Arc::clone(feed);
            keeper.when_deleted(Box::new(move |keys| forgets.forget(keys)));
        }
        let intake = feed.as_ref().map(|feed| feed.intake());
        let board = Arc::<Board>::default();
        let builds = (Arc::clone(&board), options.build);
        let statistics = statistics::Statistics::open(&loaded, &store, &doors);
        let kept = Arc::clone(&statistics);
        let operator = Arc::new(standing::planner(loaded.clone(), &doors, &keeper, intake, builds, kept));
        let listening = listen(listeners, (tls, guarded), &doors, operator, &drain, &bids, &planner)?;
        let seen = Arc::clone(&statistics.seen);
        let watcher =
            watcher::Watcher::new(loaded.clone(), store.clone(), Arc::clone(&doors), keys, keeper, feed.clone(), seen)
                .rung_by(Arc::clone(&board));
        let mut background = vec![spawn("watcher", move |_| watcher.run(options.poll))?];
        let keeps = Arc::clone(&statistics);
        background.push(spawn("statistics", move |stop| {
            live::let_bids_go_first();
            keeps.run(&stop);
        })?);
        if let Some(feed) = feed.clone() {
            background.push(spawn("feed", move |stop| feed.run(&stop))?);
        }
        let building = Building {
            loaded,
            store,
            doors: Arc::clone(&doors),
            board: Arc::clone(&board),
            program: options.program,
            feed: feed.clone(),
        };
        let drain_limit = Duration::from_millis(settings.drain_ms);
        let mut server = Server {
            doors,
            addresses,
            bids,
            planner,
            listening,
            drain,
            background,
            drain_limit,
            feed,
            statistics,
            board,
            waiting: options.build.then_some(building),
        };
        if !options.build_later {
            server.begin_building()?;
        }
        Ok(server)
    }

    /// Builds from now on, if it is to build and does not yet.
    ///
    /// # Errors
    /// A machine that refuses threads.
    pub fn begin_building(&mut self) -> Result<()> {
        let Some(Building { loaded, store, doors, board, program, feed }) = self.waiting.take() else { return Ok(()) };
        let fed = feed.clone().map(|feed| Box::new(Fed(feed)) as Box<dyn Feeding>);
        let builder =
            builder::Builder::new(&loaded, store.clone(), Arc::clone(&doors), Arc::clone(&board), program, fed)?;
        let has_matter = has_matter(&loaded, feed);
        let publisher = publish::Publisher { loaded, store, doors, board, has_matter };
        self.background.push(spawn("publisher", move |_| publisher.run())?);
        self.background.push(spawn("builder", move |_| builder.run())?);
        Ok(())
    }

    /// Where it listens: the real ports, also when the configuration said port 0.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The doors: counters, probes and the generation in service.
    pub fn doors(&self) -> &Arc<Doors> {
        &self.doors
    }

    /// Waits for SIGTERM or SIGINT.
    ///
    /// # Errors
    /// A machine that refuses to tell signals.
    pub fn wait_for_signal(&self) -> Result<()> {
        let signal = self.bids.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            Ok(tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            })
        });
        let signal = signal.map_err(|error| Error::io("listen for signals", error))?;
        tracing::info!("{signal}: draining");
        Ok(())
    }

    /// Goes away: unready at once, no new connections, requests under way answered, a running build stopped. Returns
    /// whether everything ended within `drain_ms`; what has not is cut.
    pub fn shutdown(mut self) -> bool {
        let began = Instant::now();
        self.doors.health.draining();
        self.drain.send_replace(true);
        self.board.stop();
        let stop = |Background { stop, thread }: Background| {
            drop(stop);
            thread
        };
        let threads: Vec<_> = self.background.drain(..).map(stop).collect();
        let all = async { while self.listening.join_next().await.is_some() {} };
        let limit = self.drain_limit;
        let ended = self.bids.block_on(async { tokio::time::timeout(limit, all).await.is_ok() });
        if !ended {
            tracing::warn!(
                "requests were still under way after {} ms (server.drain_ms) and were cut",
                limit.as_millis()
            );
        }
        self.bids.shutdown_timeout(Duration::from_millis(100));
        self.planner.shutdown_timeout(Duration::from_millis(100));
        if let Some(feed) = &self.feed {
            feed.close();
        }
        for thread in threads {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
        self.statistics.close();
        tracing::info!("stopped after {} ms", began.elapsed().as_millis());
        ended
    }
}

/// Whether there is something to build from.
fn has_matter(loaded: &Loaded, feed: Option<Arc<Feed>>) -> Box<dyn Fn() -> bool + Send> {
    let has_sources = !loaded.config.sources.is_empty();
    Box::new(move || has_sources || feed.as_ref().is_some_and(|feed| Fed(Arc::clone(feed)).has_facts()))
}

/// `begins` is run by each of its threads first.
fn runtime(name: &'static str, workers: usize, begins: fn()) -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.worker_threads(workers).thread_name(name).on_thread_start(begins).enable_all().build();
    built.map_err(|error| Error::io(format!("start {workers} `{name}` threads"), error))
}

fn spawn(name: &str, run: impl FnOnce(Receiver<()>) + Send + 'static) -> Result<Background> {
    let (stop, stopped) = mpsc::channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(stopped));
    let thread = thread.map_err(|error| Error::io(format!("start the `{name}` thread"), error))?;
    Ok(Background { stop, thread })
}

/// Starts the three listeners; returns the tasks of the bid ports.
fn listen(
    listeners: Listeners,
    (tls, guarded): (Option<tls::Acceptors>, Option<tls::Acceptors>),
    doors: &Arc<Doors>,
    operator: Arc<planner::Planner>,
    drain: &watch::Sender<bool>,
    bids: &Runtime,
    planner: &Runtime,
) -> Result<JoinSet<()>> {
    let tokio = |listener| TcpListener::from_std(listener).map_err(|error| Error::io("listen", error));
    let mut tasks = JoinSet::new();
    {
        let _bids = bids.enter();
        let (on_grpc, on_http) = (tokio(listeners.grpc)?, tokio(listeners.http)?);
        let (tls_grpc, tls_http) = tls.map(|tls| (tls.grpc, tls.http)).unzip();
        let (grpc_doors, grpc_drain) = (Arc::clone(doors), drain.subscribe());
        tasks.spawn(async move {
            if let Err(error) = grpc::serve(on_grpc, tls_grpc, grpc_doors, grpc_drain).await {
                tracing::error!(%error, "the gRPC port has failed");
            }
        });
        bids.spawn(admission::measure(Arc::clone(doors)));
        tasks.spawn(http::serve(on_http, tls_http, Arc::clone(doors), drain.subscribe()));
    }
    let _planner = planner.enter();
    planner.spawn(planner::serve_with(tokio(listeners.planner)?, guarded.map(|tls| tls.http), operator));
    Ok(tasks)
}
