//! The services that people build instead of Vaglio, all behind one door: a bid request in, the same bytes with the user's
//! segments out. `bench.py` starts them, one at a time, next to `vaglio serve`; see there for how it is measured.
//!
//! Contents: [`people`] who there is; [`request`] reading a bid request, and the splice; [`stores`] where segments are kept;
//! [`door`] the HTTP server; [`ceilings`] servers that do as little as a server can; [`asking`] the generator; [`check`] whether
//! two servers answer alike.
//!
//! What must not live here: anything that Vaglio itself is made of.

mod asking;
mod ceilings;
mod check;
mod door;
mod people;
mod request;
mod stores;
#[path = "../../../benches/synthetic/people.rs"]
mod synthetic;

/// The messages and the service of ARTF.
mod artf {
    #![allow(clippy::all, dead_code, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/artf.rs"));
}

use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: peers users FILE
       peers fill redis-sets|redis-strings SOCKET
       peers fill lmdb|redb|fjall DIRECTORY
       peers serve redis-sets|redis-strings ADDRESS SOCKET
       peers serve lmdb|redb|fjall ADDRESS DIRECTORY
       peers serve map|hyper ADDRESS
       peers serve artf ADDRESS SEGMENTS
       peers check ADDRESS ADDRESS
       peers ask enrich|artf ADDRESS SECONDS
VAGLIO_BENCH_PROFILES: how many people there are (default: a million)";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["users", file] => Ok(std::fs::write(file, people::users())?),
        ["fill", what, place] => stores::fill(what, place),
        ["serve", "hyper", address] => ceilings::bare(address.parse()?),
        ["serve", "artf", address, segments] => ceilings::artf(address.parse()?, segments.parse()?),
        ["serve", what, address] => door::serve(what, address.parse()?, ""),
        ["serve", what, address, place] => door::serve(what, address.parse()?, place),
        ["check", one, other] => check::alike(one.parse()?, other.parse()?),
        ["ask", what, address, seconds] => asking::run(what, address.parse()?, seconds.parse()?),
        _ => Err(USAGE.into()),
    }
}
