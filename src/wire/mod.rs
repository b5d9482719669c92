//! Generated protobuf, the JSON bodies, and the one table of codes -> gRPC, HTTP and nbr. Only hooks, planner, server and
//! cli may import it.
//!
//! Contents: [`v1`] the messages and the client of `proto/vaglio/v1`; [`service`] its server side, which answers in
//! [`codec::Encoded`] bytes; [`json`] the bodies of the HTTP doors; [`openrtb`] bid requests;
//! [`code`] the table.

pub mod code;
pub mod codec;
pub mod json;
pub mod openrtb;

pub use code::{Code, Failure};

/// The messages of `vaglio.v1` and its client.
pub mod v1 {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/vaglio.v1.rs"));
}

/// The server side of `vaglio.v1`.
pub mod service {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/services/vaglio.v1.rs"));
}

/// The compiled `.proto` files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
