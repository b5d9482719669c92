//! Stores that live in the server's own process and keep their data in files: LMDB (a B-tree, mapped), redb (a B-tree with a
//! cache of its own) and fjall (an LSM tree). All have the packed segments under a hash of the identifier, were filled in the
//! order of the keys, and have memory for everything.

use super::{Store, hashed, sorted, unpack};
use crate::Outcome;
use crate::request::Id;
use fjall::{Keyspace, KeyspaceCreateOptions};
use heed::types::Bytes;
use heed::{CommitOrAbort, Env, EnvFlags, EnvOpenOptions, PutFlags};
use redb::{ReadableDatabase, TableDefinition};
use std::path::{Path, PathBuf};

/// Memory that a store may take, and the length of LMDB's mapping.
const ROOM: usize = 8 << 30;
const TABLE: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("segments");
const KEYSPACE: &str = "segments";

type Lmdb = heed::Database<'static, Bytes, Bytes>;

/// One of them, open.
pub enum Embedded {
    Lmdb(&'static Env, Lmdb),
    Redb(redb::Database),
    Fjall(Keyspace, #[allow(dead_code, reason = "must outlive its keyspace")] fjall::Database),
}

impl Embedded {
    pub fn open(what: &str, place: &str) -> Outcome<Self> {
        let place = Path::new(place);
        match what {
            "lmdb" => {
                let env = environment(place)?;
                let database = env.open_databases_and_commit(env.read_txn()?, |opener, txn| {
                    let database: Option<heed::Database<'_, Bytes, Bytes>> = opener.open_database(txn, None)?;
                    heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(database))
                })?;
                let database = database.unwrap_commit().ok_or("LMDB has no such table: fill it first")?;
                Ok(Embedded::Lmdb(env, database))
            }
            "redb" => Ok(Embedded::Redb(redb::Builder::new().set_cache_size(ROOM).open(file(place))?)),
            "fjall" => {
                let database = fjall::Database::builder(place).cache_size(ROOM as u64).open()?;
                Ok(Embedded::Fjall(database.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?, database))
            }
            _ => Err(format!("no store `{what}`").into()),
        }
    }

    fn get(&self, key: &[u8; 16], out: &mut Vec<u8>) -> Outcome<bool> {
        let mut found = |packed: Option<&[u8]>| packed.inspect(|packed| unpack(packed, out)).is_some();
        Ok(match self {
            Embedded::Lmdb(env, database) => {
                let txn = env.read_txn()?;
                found(database.get(&txn, key)?)
            }
            Embedded::Redb(database) => {
                found(database.begin_read()?.open_table(TABLE)?.get(key)?.as_ref().map(|it| it.value()))
            }
            Embedded::Fjall(keyspace, _) => found(keyspace.get(key)?.as_deref()),
        })
    }
}

impl Store for Embedded {
    async fn segments(&self, ids: &[Id<'_>], out: &mut Vec<u8>) -> Outcome<()> {
        for (source, uid) in ids {
            if self.get(&hashed(source, uid).to_be_bytes(), out)? {
                break;
            }
        }
        Ok(())
    }
}

fn file(place: &Path) -> PathBuf {
    place.join("segments.redb")
}

#[allow(unsafe_code, reason = "LMDB maps a file: nobody else may change it, and nobody else knows of it")]
fn environment(place: &Path) -> Outcome<&'static Env> {
    std::fs::create_dir_all(place)?;
    // SAFETY: the directory is made by this program and opened once a process. Reading ahead is of no use at random keys.
    let env = unsafe { EnvOpenOptions::new().map_size(ROOM).flags(EnvFlags::NO_READ_AHEAD).open(place)? };
    // It lives as long as the process.
    Ok(Box::leak(Box::new(env)))
}

/// Writes everybody into a new store.
pub fn fill(what: &str, place: &str) -> Outcome<()> {
    let place = Path::new(place);
    std::fs::create_dir_all(place)?;
    match what {
        "lmdb" => fill_lmdb(place),
        "redb" => {
            let database = redb::Database::create(file(place))?;
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(TABLE)?;
                sorted(|key, packed| Ok(table.insert(key, packed).map(|_| ())?))?;
            }
            Ok(write.commit()?)
        }
        "fjall" => {
            let database = fjall::Database::builder(place).open()?;
            let keyspace = database.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?;
            let mut ingestion = keyspace.start_ingestion()?;
            sorted(|key, packed| Ok(ingestion.write(key.as_slice(), packed)?))?;
            ingestion.finish()?;
            Ok(keyspace.major_compact()?)
        }
        _ => Err(format!("no store `{what}`").into()),
    }
}

fn fill_lmdb(place: &Path) -> Outcome<()> {
    let env = environment(place)?;
    let database: heed::Database<'_, Bytes, Bytes> = env
        .create_databases_and_commit(env.write_txn()?, |opener, txn| {
            heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(opener.create_database(txn, None)?))
        })?
        .unwrap_commit();
    let mut write = env.write_txn()?;
    sorted(|key, packed| Ok(database.put_with_flags(&mut write, PutFlags::APPEND, key, packed)?))?;
    Ok(write.commit()?)
}
