//! Takes the three ports, or says which settings to change.

use super::Addresses;
use crate::config::Server;
use crate::error::{Error, ErrorKind, Problem, Result};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// The three ports, taken.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) grpc: TcpListener,
    pub(super) http: TcpListener,
    pub(super) planner: TcpListener,
}

impl Listeners {
    /// Takes all three, or names every one that could not be had.
    pub(super) fn bind(settings: &Server) -> Result<Self> {
        let grpc = bind("server.grpc", settings.grpc);
        let http = bind("server.http", settings.http);
        let planner = bind("server.planner", settings.planner);
        match (grpc, http, planner) {
            (Ok(grpc), Ok(http), Ok(planner)) => Ok(Listeners { grpc, http, planner }),
            (grpc, http, planner) => {
                let problems = [grpc.err(), http.err(), planner.err()].into_iter().flatten().collect();
                Err(Error::new(ErrorKind::Busy, "the server cannot listen").with_problems(problems))
            }
        }
    }

    pub(super) fn addresses(&self) -> Result<Addresses> {
        let address = |listener: &TcpListener| {
            listener.local_addr().map_err(|error| Error::io("tell which port was given", error))
        };
        Ok(Addresses { grpc: address(&self.grpc)?, http: address(&self.http)?, planner: address(&self.planner)? })
    }
}

fn bind(key: &str, address: SocketAddr) -> std::result::Result<TcpListener, Problem> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("another program (another `vaglio serve`?) has it; stop that, or set `{key}` to a free port")
            }
            io::ErrorKind::PermissionDenied => format!("ports below 1024 need rights; set `{key}` to a higher port"),
            io::ErrorKind::AddrNotAvailable => {
                format!("this machine has no such address; set `{key}` to one it has, or to 0.0.0.0 for all")
            }
            _ => format!("set `{key}` to another address"),
        };
        Problem::new(format!("{key}: {address}: {error}")).help(help)
    })
}
