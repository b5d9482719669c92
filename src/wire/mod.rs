//! Generated protobuf, the JSON bodies, and the one table of codes -> gRPC, HTTP and nbr. Only hooks, planner, server and
//! cli may import it.
//!
//! Contents: [`v1`] the messages and the client of `proto/vaglio/v1`; [`service`] its server side, which answers in
//! [`codec::Encoded`] bytes; [`artf`] and [`artf_service`] the same of ARTF; [`json`] the bodies of the HTTP doors;
//! [`openrtb`] bid requests, [`v2`] their protobuf; [`prebid`] a page's envelope; [`certificate`] whom TLS names; [`code`] the
//! table.

pub mod certificate;
pub mod code;
pub mod codec;
pub mod json;
pub mod openrtb;
pub mod prebid;

pub use code::{Code, Failure};

/// What the `.proto` files generate: messages and clients, in modules named like their packages.
mod messages {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

pub use messages::com::iabtechlab::bidstream::mutation::services::v1 as artf_client;
pub use messages::com::iabtechlab::bidstream::mutation::v1 as artf;
pub use messages::com::iabtechlab::openrtb::v2;
pub use messages::vaglio::v1;

/// The server side of `vaglio.v1`.
pub mod service {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/services/vaglio.v1.rs"));
}

/// The server side of ARTF, under the name of the published layout.
pub mod artf_service {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/services/com.iabtechlab.bidstream.mutation.services.v1.rs"));
}

/// The server side of ARTF, under the name of an earlier layout.
pub mod artf_service_before {
    #![allow(missing_docs, clippy::all, reason = "generated; documented in the .proto")]
    include!(concat!(env!("OUT_DIR"), "/services/com.iabtechlab.bidstream.mutation.v1.rs"));
}

/// The compiled `.proto` files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
