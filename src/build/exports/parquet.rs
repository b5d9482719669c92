//! An export as a Parquet file: columns of text, compressed by zstd.

use super::place::Outlet;
use crate::error::{Error, Result};
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

/// Rows that are handed on together.
const ROWS: usize = 16 * 1024;
/// Rows of a group: what is in memory at once.
const GROUP: usize = 256 * 1024;

/// A table that is being written.
pub(super) struct Table {
    schema: Arc<Schema>,
    columns: Vec<StringBuilder>,
    rows: usize,
    writer: ArrowWriter<Outlet>,
}

impl Table {
    pub(super) fn new(names: &[&str], outlet: Outlet) -> Result<Self> {
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, false)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP))
            .build();
        let writer = ArrowWriter::try_new(outlet, Arc::clone(&schema), Some(properties)).map_err(failed)?;
        let columns = names.iter().map(|_| StringBuilder::new()).collect();
        Ok(Table { schema, columns, rows: 0, writer })
    }

    pub(super) fn write(&mut self, cells: &[&str]) -> Result<()> {
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.append_value(cell));
        self.rows += 1;
        if self.rows < ROWS { Ok(()) } else { self.hand_on() }
    }

    fn hand_on(&mut self) -> Result<()> {
        let arrays = self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        self.rows = 0;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let batch =
            batch.map_err(|error| Error::internal("rows of an export do not fit its columns").caused_by(error))?;
        self.writer.write(&batch).map_err(failed)
    }

    /// Writes the footer.
    pub(super) fn finish(mut self) -> Result<Outlet> {
        self.hand_on()?;
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: parquet::errors::ParquetError) -> Error {
    Error::io("write an export as Parquet", std::io::Error::other(error))
}
