//! Redis over a Unix socket: one multiplexed connection, so that what many requests ask at a time travels together.
//!
//! As people begin: a set of segments under `ifa:6d92...`, read with SMEMBERS. As they go on when it costs too much: a hash of
//! the identifier as the key, and the packed segments as a string, read with MGET.

use super::{Store, hashed, pack, unpack};
use crate::request::{Id, push_text};
use crate::{Outcome, people};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline};

/// Identifiers a round trip while filling.
const BATCH: usize = 1_000;

async fn connect(socket: &str) -> Outcome<MultiplexedConnection> {
    let client = Client::open(format!("unix://{socket}"))?;
    // Its timer a command would be a cost that the others do not have.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

/// Sets, by the identifier as it is.
pub struct RedisSets(MultiplexedConnection);

impl RedisSets {
    pub async fn connect(socket: &str) -> Outcome<Self> {
        Ok(RedisSets(connect(socket).await?))
    }
}

impl Store for RedisSets {
    async fn segments(&self, ids: &[Id<'_>], out: &mut Vec<u8>) -> Outcome<()> {
        let mut redis = self.0.clone();
        let key = |(source, uid): &Id<'_>| [source, ":", uid].concat();
        let sets: Vec<Vec<Vec<u8>>> = match ids {
            [] => return Ok(()),
            [id] => vec![redis::cmd("SMEMBERS").arg(key(id)).query_async(&mut redis).await?],
            _ => {
                let mut asked = Pipeline::with_capacity(ids.len());
                ids.iter().for_each(|id| {
                    asked.cmd("SMEMBERS").arg(key(id));
                });
                asked.query_async(&mut redis).await?
            }
        };
        if let Some(set) = sets.iter().find(|set| !set.is_empty()) {
            out.reserve(set.len() * 14);
            set.iter().for_each(|segment| push_text(segment, out));
        }
        Ok(())
    }
}

/// Packed segments, by a hash of the identifier.
pub struct RedisStrings(MultiplexedConnection);

impl RedisStrings {
    pub async fn connect(socket: &str) -> Outcome<Self> {
        Ok(RedisStrings(connect(socket).await?))
    }
}

impl Store for RedisStrings {
    async fn segments(&self, ids: &[Id<'_>], out: &mut Vec<u8>) -> Outcome<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut asked = redis::cmd("MGET");
        ids.iter().for_each(|(source, uid)| {
            asked.arg(&hashed(source, uid).to_be_bytes());
        });
        let found: Vec<Option<Vec<u8>>> = asked.query_async(&mut self.0.clone()).await?;
        if let Some(packed) = found.iter().flatten().next() {
            unpack(packed, out);
        }
        Ok(())
    }
}

pub fn fill_sets(socket: &str) -> Outcome<()> {
    fill(socket, |pipeline, uid, segments| {
        pipeline.cmd("SADD").arg(format!("ifa:{uid}")).arg(segments).ignore();
    })
}

pub fn fill_strings(socket: &str) -> Outcome<()> {
    let mut packed = Vec::new();
    fill(socket, |pipeline, uid, segments| {
        pack(segments, &mut packed);
        pipeline.cmd("SET").arg(&hashed("ifa", uid).to_be_bytes()).arg(&packed).ignore();
    })
}

fn fill(socket: &str, mut add: impl FnMut(&mut Pipeline, &str, &[u32])) -> Outcome<()> {
    let mut redis = Client::open(format!("unix://{socket}"))?.get_connection()?;
    let people = people::People::new();
    let (mut pipeline, mut waiting) = (Pipeline::new(), 0);
    people.each(|uid, segments| {
        add(&mut pipeline, uid, segments);
        waiting += 1;
        if waiting == BATCH {
            pipeline.exec(&mut redis)?;
            pipeline.clear();
            waiting = 0;
        }
        Outcome::Ok(())
    })?;
    if waiting > 0 {
        pipeline.exec(&mut redis)?;
    }
    Ok(())
}
