//! What the command line says instead of the workload file.

use crate::error::{Error, Problem, Result};
use crate::load::reading::{self, MOST_CONNECTIONS, MOST_PER_SECOND, MOST_SECONDS, is_address};
use crate::load::workload::{Phase, Plan, Workload};
use std::path::{Path, PathBuf};

/// Overrides of a workload.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// One phase at so many requests a second, instead of the plan
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// How long each phase or step is
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Connections a door
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,
    /// Where bid HTTP is
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Where gRPC is
    #[arg(long, value_name = "HOST:PORT")]
    grpc: Option<String>,
    /// Where the planner is
    #[arg(long, value_name = "HOST:PORT")]
    planner: Option<String>,
    /// People to ask about, one `POST /v1/lookup` body a line
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Other questions at other instants
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

impl Overrides {
    /// The users file, where one is named.
    pub fn users(&self) -> Option<&Path> {
        self.users.as_deref()
    }

    /// Changes a workload.
    ///
    /// # Errors
    /// Every value that makes no sense.
    pub fn apply(&self, workload: &mut Workload) -> Result<()> {
        self.check()?;
        if let Some(rate) = self.rate {
            one_phase(&mut workload.arrivals.plan, rate);
        }
        match (self.seconds, &mut workload.arrivals.plan) {
            (Some(seconds), Plan::Phases(phases)) => phases.iter_mut().for_each(|phase| phase.seconds = seconds),
            (Some(seconds), Plan::Saturation(search)) => search.step_seconds = seconds,
            (Some(seconds), Plan::Overload(overload)) => overload.seconds = seconds,
            (None, _) => {}
        }
        let target = &mut workload.target;
        for (given, ours) in
            [(&self.http, &mut target.http), (&self.grpc, &mut target.grpc), (&self.planner, &mut target.planner)]
        {
            if let Some(address) = given {
                ours.clone_from(address);
            }
        }
        target.connections = self.connections.unwrap_or(target.connections);
        if let Some(problem) = reading::too_many_places(target, &workload.doors) {
            return Err(Error::usage("the command line makes no sense:").with_problems(vec![Problem::new(problem)]));
        }
        workload.seed = self.seed.unwrap_or(workload.seed);
        if let Some(users) = &self.users {
            workload.users.file = Some(from_here(users));
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let mut problems = Vec::new();
        if let Some(rate) = self.rate.filter(|rate| !(*rate > 0.0 && *rate <= MOST_PER_SECOND)) {
            problems.push(format!("--rate must be above 0 and at most {MOST_PER_SECOND}, not {rate}"));
        }
        if let Some(seconds) = self.seconds.filter(|seconds| !(*seconds > 0.0 && *seconds <= MOST_SECONDS)) {
            problems.push(format!("--seconds must be above 0 and at most {MOST_SECONDS}, a week, not {seconds}"));
        }
        if let Some(connections) = self.connections.filter(|connections| !(1..=MOST_CONNECTIONS).contains(connections))
        {
            problems.push(format!("--connections must be from 1 to {MOST_CONNECTIONS}, not {connections}"));
        }
        for (flag, address) in [("--http", &self.http), ("--grpc", &self.grpc), ("--planner", &self.planner)] {
            if let Some(address) = address.as_ref().filter(|address| !is_address(address)) {
                problems.push(format!("{flag} `{address}` is not HOST:PORT, such as 127.0.0.1:8080"));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::usage("the command line makes no sense:")
            .with_problems(problems.into_iter().map(Problem::new).collect()))
    }
}

/// A path of the command line: relative to where the command is given, unlike those of the workload file.
pub(super) fn from_here(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Goals of the first phase stay; those of a plan that is no more are left out, because they cannot be checked.
fn one_phase(plan: &mut Plan, rate: f64) {
    let phase = match plan {
        Plan::Phases(phases) => phases.first().cloned(),
        Plan::Saturation(_) | Plan::Overload(_) => None,
    };
    let phase = phase.unwrap_or(Phase {
        name: "1".to_owned(),
        per_second: rate,
        to_per_second: None,
        seconds: 10.0,
        goals: None,
    });
    *plan = Plan::Phases(vec![Phase { per_second: rate, to_per_second: None, ..phase }]);
}
