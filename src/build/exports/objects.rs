//! Files of an object store: sent part by part, and there once the store has acknowledged the whole.
//!
//! Credentials, region and endpoint come from the usual `AWS_...` environment, as those of sources do.

use crate::error::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use std::io;
use tokio::runtime::Runtime;

/// The bytes of a part; S3 takes none but the last below 5 MiB.
const PART: usize = 8 << 20;

/// An object that is being sent.
pub(super) struct Upload {
    runtime: Runtime,
    store: AmazonS3,
    bucket: String,
    path: Path,
    buffer: Vec<u8>,
    /// Once there is more than one part.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    /// Prepares it; nothing is sent before there is a part.
    pub(super) fn start(bucket: &str, prefix: &str, name: &str) -> Result<Upload> {
        let refused = |error: object_store::Error| {
            Error::new(
                ErrorKind::Io,
                format!(
                    "cannot export to s3://{bucket}: {error} (check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, \
                     for a store of another maker, AWS_ENDPOINT_URL and AWS_ALLOW_HTTP=true where it is plain http)"
                ),
            )
            .caused_by(error)
        };
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build().map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start what speaks to the object store", error))?;
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        Ok(Upload {
            runtime,
            store,
            bucket: bucket.to_owned(),
            path: Path::from(path),
            buffer: Vec::new(),
            parts: None,
        })
    }

    /// `s3://bucket/path`
    pub(super) fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.path)
    }

    /// Takes more bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < PART {
            return Ok(());
        }
        self.send_part()
    }

    fn send_part(&mut self) -> io::Result<()> {
        let payload = PutPayload::from(std::mem::take(&mut self.buffer));
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let started = self.runtime.block_on(self.store.put_multipart(&self.path)).map_err(of_store)?;
                none.insert(started)
            }
        };
        self.runtime.block_on(parts.put_part(payload)).map_err(of_store)
    }

    /// Sends the rest and has the store acknowledge the whole.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        if self.parts.is_none() {
            let payload = PutPayload::from(std::mem::take(&mut self.buffer));
            return self.runtime.block_on(self.store.put(&self.path, payload)).map(drop).map_err(of_store);
        }
        if !self.buffer.is_empty() {
            self.send_part()?;
        }
        match self.parts.take() {
            Some(mut parts) => self.runtime.block_on(parts.complete()).map(drop).map_err(of_store),
            None => Ok(()),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            // A store that cannot be reached throws unfinished parts away by its own rules.
            let _ = self.runtime.block_on(parts.abort());
        }
    }
}

fn of_store(error: object_store::Error) -> io::Error {
    io::Error::other(error)
}
