//! Object stores: lists `s3://bucket/glob`, streams objects, reads ranges of them for Parquet.
//!
//! Credentials, region and endpoint come from the usual `AWS_...` environment.

use crate::config::Source;
use crate::error::{Error, ErrorKind, Result};
use bytes::{Buf, Bytes};
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Chunks of a stream that may wait for the parser.
const WAITING: usize = 8;
/// Ranges are fetched in whole blocks ...
const BLOCK: u64 = 4 << 20;
/// ... of which so many are kept: Parquet reads many columns side by side.
const BLOCKS_KEPT: usize = 32;

/// An object and the way to it. The runtime drives the connections of all objects of a source.
#[derive(Debug, Clone)]
pub(super) struct Object {
    runtime: Arc<Runtime>,
    store: Arc<dyn ObjectStore>,
    bucket: String,
    path: Path,
}

/// The objects that `bucket/glob` matches, sorted by name, with their sizes and modification times.
pub(super) fn list(source: &Source, rest: &str) -> Result<Vec<(Object, u64, i64)>> {
    let failed = |error: object_store::Error| {
        Error::new(
            ErrorKind::Io,
            format!(
                "source `{}`: cannot list {}: {error} (check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, \
                 for a store of another maker, AWS_ENDPOINT_URL and AWS_ALLOW_HTTP=true where it is plain http)",
                source.name, source.path
            ),
        )
        .caused_by(error)
    };
    let malformed = |why: String| Error::usage(format!("source `{}`: {} {why}", source.name, source.path));
    let (bucket, glob) = rest
        .split_once('/')
        .filter(|(bucket, glob)| !bucket.is_empty() && !glob.is_empty())
        .ok_or_else(|| malformed("names no objects; expected s3://bucket/prefix*".to_owned()))?;
    let pattern = glob::Pattern::new(glob).map_err(|error| malformed(format!("is not a valid pattern: {error}")))?;
    let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build().map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("object-store")
        .enable_all()
        .build()
        .map_err(|error| Error::io("start a thread for the object store", error))?;
    let literal = &glob[..glob.find(['*', '?', '[']).unwrap_or(glob.len())];
    let folder = literal.rsplit_once('/').map(|(folder, _)| Path::from(folder));
    let mut found = runtime.block_on(store.list(folder.as_ref()).try_collect::<Vec<_>>()).map_err(failed)?;
    found.sort_by(|a, b| a.location.cmp(&b.location));
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let (runtime, store): (_, Arc<dyn ObjectStore>) = (Arc::new(runtime), Arc::new(store));
    let matching = found.into_iter().filter(|meta| pattern.matches_with(meta.location.as_ref(), options));
    let object = |path| Object { runtime: runtime.clone(), store: store.clone(), bucket: bucket.to_owned(), path };
    Ok(matching.map(|meta| (object(meta.location), meta.size, meta.last_modified.timestamp())).collect())
}

impl Object {
    /// `s3://bucket/path`
    pub(super) fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.path)
    }

    /// The bytes from the start, fetched ahead of the reader.
    pub(super) fn stream(&self) -> ObjectStream {
        let (sender, chunks) = mpsc::channel(WAITING);
        let (store, path) = (self.store.clone(), self.path.clone());
        self.runtime.spawn(async move {
            let mut stream = match store.get(&path).await {
                Ok(found) => found.into_stream(),
                Err(error) => futures::stream::once(async { Err(error) }).boxed(),
            };
            while let Some(chunk) = stream.next().await {
                // Nobody reads on: the connection is given up.
                if sender.send(chunk.map_err(unreachable_store)).await.is_err() {
                    return;
                }
            }
        });
        ObjectStream { chunks, current: Bytes::new(), _runtime: self.runtime.clone() }
    }

    fn range(&self, start: u64, end: u64) -> io::Result<Bytes> {
        self.runtime.block_on(self.store.get_range(&self.path, start..end)).map_err(unreachable_store)
    }
}

fn unreachable_store(error: object_store::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}

/// An object as a stream of bytes.
pub(super) struct ObjectStream {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
    _runtime: Arc<Runtime>,
}

impl Read for ObjectStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk?,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// An object that is read in ranges.
#[derive(Clone)]
pub(super) struct ObjectRanges {
    object: Object,
    size: u64,
    /// Recently fetched blocks, newest last.
    blocks: Arc<Mutex<Vec<(u64, Bytes)>>>,
}

impl ObjectRanges {
    pub(super) fn new(object: Object, size: u64) -> Self {
        ObjectRanges { object, size, blocks: Arc::default() }
    }

    /// The block that holds this position, from that position on.
    fn block_at(&self, position: u64) -> io::Result<Bytes> {
        if position >= self.size {
            return Ok(Bytes::new());
        }
        let number = position / BLOCK;
        let mut blocks = self.blocks.lock();
        let block = match blocks.iter().position(|(known, _)| *known == number) {
            Some(at) => blocks.remove(at).1,
            None => self.object.range(number * BLOCK, ((number + 1) * BLOCK).min(self.size))?,
        };
        if blocks.len() >= BLOCKS_KEPT {
            blocks.remove(0);
        }
        blocks.push((number, block.clone()));
        let offset = ((position % BLOCK) as usize).min(block.len());
        Ok(block.slice(offset..))
    }
}

impl Length for ObjectRanges {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for ObjectRanges {
    type T = RangeReader;

    fn get_read(&self, start: u64) -> parquet::errors::Result<RangeReader> {
        Ok(RangeReader { ranges: self.clone(), position: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("expected {length} bytes at {start}, found {}", bytes.len())));
        }
        Ok(bytes.into())
    }
}

/// Reads an object from a position on.
pub(super) struct RangeReader {
    ranges: ObjectRanges,
    position: u64,
}

impl Read for RangeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.ranges.block_at(self.position)?;
        let length = block.len().min(buffer.len());
        buffer[..length].copy_from_slice(&block[..length]);
        self.position += length as u64;
        Ok(length)
    }
}
