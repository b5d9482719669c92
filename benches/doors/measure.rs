//! Starts servers and generators as processes of their own, and reads what the servers' CPU time was.

use super::Outcome;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Ticks of `/proc/PID/stat` a second: what Linux tells programs, whatever it counts by itself.
const TICKS: f64 = 100.0;

/// A child of ours: it ends with us, or sooner.
pub struct Process {
    child: Child,
    _stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        Ok(Process { _stdin: child.stdin.take(), child, lines })
    }

    fn line(&mut self) -> Outcome<String> {
        Ok(self.lines.next().ok_or("a child process ended too early")??)
    }

    /// CPU seconds so far.
    fn cpu(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).ok_or("no CPU time");
        Ok((ticks(11)? + ticks(12)?) / TICKS)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that runs.
pub struct Server {
    process: Process,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
}

impl Server {
    /// Starts a server on these cores and waits until it answers.
    pub fn start(what: &str, cores: &str, workers: usize, argument: &str) -> Outcome<Self> {
        let mut process = Process::start(&["serve", what, cores, &workers.to_string(), argument])?;
        let line = process.line()?;
        let addresses = line.split(' ').map(str::parse).collect::<Result<Vec<SocketAddr>, _>>()?;
        Ok(Server { process, addresses })
    }
}

/// Name, server, what is asked, where, and the generator's cores.
pub type Scenario<'a> = (&'static str, &'a Server, &'static str, SocketAddr, &'static str);

/// Medians of a scenario's rounds.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub name: &'static str,
    pub per_cpu_second: f64,
    pub per_second: f64,
    /// Of an answer's body.
    pub bytes: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// The greatest of all rounds; 0 = the generator does not say.
    #[allow(dead_code, reason = "only the feed's bench tells it")]
    pub max_us: f64,
}

/// Runs all scenarios in turn, as often as there are rounds, every other round backwards.
pub fn measure(scenarios: &[Scenario<'_>], rounds: usize) -> Outcome<Vec<Measured>> {
    let mut found: Vec<Vec<[f64; 6]>> = vec![Vec::new(); scenarios.len()];
    for round in 0..rounds {
        let forwards = 0..scenarios.len();
        let order: Vec<usize> = if round % 2 == 0 { forwards.collect() } else { forwards.rev().collect() };
        for at in order {
            found[at].push(once(&scenarios[at])?);
        }
    }
    let medians = scenarios.iter().zip(found).map(|(scenario, rounds)| {
        let median = |field: usize| {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[field]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let [per_cpu_second, per_second, bytes, p50_us, p99_us] = std::array::from_fn(median);
        let max_us = rounds.iter().map(|round| round[5]).fold(0.0, f64::max);
        Measured { name: scenario.0, per_cpu_second, per_second, bytes, p50_us, p99_us, max_us }
    });
    Ok(medians.collect())
}

fn once((_, server, what, address, cores): &Scenario<'_>) -> Outcome<[f64; 6]> {
    let mut load = Process::start(&["load", what, cores, &address.to_string()])?;
    // It has connected and is warm.
    load.line()?;
    let (began, before) = (Instant::now(), server.process.cpu()?);
    let line = load.line()?;
    let (took, cpu) = (began.elapsed().as_secs_f64(), server.process.cpu()? - before);
    let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let (questions, bytes, p50_us, p99_us, max_us) = match numbers[..] {
        [questions, bytes, p50_us, p99_us] => (questions, bytes, p50_us, p99_us, 0.0),
        [questions, bytes, p50_us, p99_us, max_us] => (questions, bytes, p50_us, p99_us, max_us),
        _ => return Err(line.into()),
    };
    Ok([questions / cpu, questions / took, bytes / questions, p50_us, p99_us, max_us])
}
