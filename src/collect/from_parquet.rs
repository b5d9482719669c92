//! Parquet: reads only the configured columns, a few thousand rows at a time. A dotted column is a field of a struct.

use super::files::{InputFile, Place};
use super::objects::ObjectRanges;
use super::plan::Plan;
use super::record::{Fields, Value};
use super::rows::{RowMaker, Stopped};
use crate::error::{Error, Result};
use crate::telemetry::progress::Phase;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampSecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, LargeListArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;
use std::fs::File;
use std::sync::Arc;

/// Rows decoded at once.
const ROWS: usize = 8_192;

/// The names of the columns and of the fields of structs (dotted).
pub(super) fn names(file: &InputFile, source: &str) -> Result<Vec<String>> {
    match &file.place {
        Place::Local(path) => {
            let opened = File::open(path).map_err(|error| file.unreadable(source, error))?;
            Ok(schema_names(builder(opened, file, source)?.schema()))
        }
        Place::Object(object) => {
            let ranges = ObjectRanges::new(object.clone(), file.bytes);
            Ok(schema_names(builder(ranges, file, source)?.schema()))
        }
    }
}

/// Reads all rows.
pub(super) fn read(
    file: &InputFile,
    source: &str,
    plan: &Plan,
    rows: &mut RowMaker<'_>,
    phase: &Phase,
) -> Result<std::result::Result<(), Stopped>> {
    match &file.place {
        Place::Local(path) => {
            let opened = File::open(path).map_err(|error| file.unreadable(source, error))?;
            Rows { file, source, plan, phase }.read(builder(opened, file, source)?, rows)
        }
        Place::Object(object) => {
            let ranges = ObjectRanges::new(object.clone(), file.bytes);
            Rows { file, source, plan, phase }.read(builder(ranges, file, source)?, rows)
        }
    }
}

fn builder<T: ChunkReader + 'static>(
    input: T,
    file: &InputFile,
    source: &str,
) -> Result<ParquetRecordBatchReaderBuilder<T>> {
    ParquetRecordBatchReaderBuilder::try_new(input).map_err(|error| damaged(file, source, error))
}

fn damaged(file: &InputFile, source: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!(
        "source `{source}`: {} cannot be read as Parquet: {error} (is it whole? copy it again; nothing was published)",
        file.name
    );
    Error::input(message).caused_by(error)
}

fn schema_names(schema: &Schema) -> Vec<String> {
    fn walk(prefix: &str, field: &Field, names: &mut Vec<String>) {
        let name = format!("{prefix}{}", field.name());
        if let DataType::Struct(fields) = field.data_type() {
            fields.iter().for_each(|field| walk(&format!("{name}."), field, names));
        }
        names.push(name);
    }
    let mut names = Vec::new();
    schema.fields().iter().for_each(|field| walk("", field, &mut names));
    names
}

/// One file's way into rows.
struct Rows<'a> {
    file: &'a InputFile,
    source: &'a str,
    plan: &'a Plan,
    phase: &'a Phase,
}

impl Rows<'_> {
    fn read<T: ChunkReader + 'static>(
        &self,
        builder: ParquetRecordBatchReaderBuilder<T>,
        rows: &mut RowMaker<'_>,
    ) -> Result<std::result::Result<(), Stopped>> {
        rows.tally.seen.fill(true);
        let total = builder.metadata().file_metadata().num_rows().max(1) as u64;
        let schema = builder.schema().clone();
        let read_column = |name: &str| {
            let below = |column: &String| {
                column.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.plan.columns.iter().any(below)
        };
        let roots = (0..schema.fields().len()).filter(|at| read_column(schema.field(*at).name()));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader: ParquetRecordBatchReader = builder
            .with_projection(mask)
            .with_batch_size(ROWS)
            .build()
            .map_err(|error| damaged(self.file, self.source, error))?;
        let (mut line, mut counted) = (1, 0);
        for batch in reader {
            let batch = batch.map_err(|error| damaged(self.file, self.source, error))?;
            if let Err(stopped) = self.read_batch(&batch, line, rows)? {
                return Ok(Err(stopped));
            }
            line += batch.num_rows() as u64;
            let share = (u128::from(self.file.bytes) * u128::from(line - 1) / u128::from(total)) as u64;
            self.phase.add(share - counted);
            counted = share;
        }
        Ok(Ok(()))
    }

    fn read_batch(
        &self,
        batch: &RecordBatch,
        first_line: u64,
        rows: &mut RowMaker<'_>,
    ) -> Result<std::result::Result<(), Stopped>> {
        let columns = self.plan.columns.iter().map(|column| self.column(batch, column)).collect::<Result<Vec<_>>>()?;
        let mut values = vec![Value::Absent; columns.len()];
        let (mut items, mut text) = (Vec::new(), String::new());
        for row in 0..batch.num_rows() {
            items.clear();
            text.clear();
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = column.value(row, &mut text, &mut items);
            }
            let fields = Fields { text: &text, values: &values, items: &items, line: first_line + row as u64 };
            if let Err(stopped) = rows.row(&fields) {
                return Ok(Err(stopped));
            }
        }
        Ok(Ok(()))
    }

    fn column(&self, batch: &RecordBatch, name: &str) -> Result<Column> {
        let lacking = || Error::input(format!("source `{}`: {} has no column `{name}`", self.source, self.file.name));
        let (array, parents) = find(batch, name).ok_or_else(lacking)?;
        let kind = array.data_type().clone();
        let values = Typed::new(&array).ok_or_else(|| {
            Error::input(format!(
                "source `{}`: column `{name}` of {} is of type {kind}, which cannot be read; expected text, a number, a \
                 boolean, a date, a timestamp, or a list of these",
                self.source, self.file.name
            ))
        })?;
        Ok(Column { values, parents })
    }
}

/// The array of a column (dotted: of a struct's field) and the structs around it.
fn find(batch: &RecordBatch, name: &str) -> Option<(ArrayRef, Vec<ArrayRef>)> {
    if let Some(array) = batch.column_by_name(name) {
        return Some((array.clone(), Vec::new()));
    }
    let mut keys = name.split('.');
    let mut array = batch.column_by_name(keys.next()?)?.clone();
    let mut parents = Vec::new();
    for key in keys {
        let child = array.as_any().downcast_ref::<StructArray>()?.column_by_name(key)?.clone();
        parents.push(std::mem::replace(&mut array, child));
    }
    Some((array, parents))
}

/// A column ready to be read row by row.
struct Column {
    values: Typed,
    parents: Vec<ArrayRef>,
}

impl Column {
    fn value(&self, row: usize, text: &mut String, items: &mut Vec<Value>) -> Value {
        if self.parents.iter().any(|parent| parent.is_null(row)) {
            return Value::Absent;
        }
        self.values.value(row, text, items)
    }
}

/// The few types that all others are cast to.
enum Typed {
    Text(StringArray),
    Whole(PrimitiveArray<Int64Type>),
    Number(PrimitiveArray<Float64Type>),
    Flag(BooleanArray),
    Day(PrimitiveArray<Date32Type>),
    Instant(PrimitiveArray<TimestampSecondType>),
    WallClock(PrimitiveArray<TimestampSecondType>),
    List(LargeListArray, Box<Typed>),
    Nothing,
}

impl Typed {
    fn new(array: &ArrayRef) -> Option<Typed> {
        use DataType as T;
        let text = |array: &ArrayRef| Some(Typed::Text(cast(array, &T::Utf8)?));
        Some(match array.data_type() {
            T::Null => Typed::Nothing,
            T::Utf8 | T::LargeUtf8 | T::Utf8View => text(array)?,
            T::Dictionary(_, values) if matches!(**values, T::Utf8 | T::LargeUtf8 | T::Utf8View) => text(array)?,
            // Beyond i64 the digits are kept: it may be an identifier.
            T::UInt64 => text(array)?,
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => {
                Typed::Whole(cast(array, &T::Int64)?)
            }
            T::Decimal32(_, 0) | T::Decimal64(_, 0) | T::Decimal128(_, 0) | T::Decimal256(_, 0) => text(array)?,
            T::Float16
            | T::Float32
            | T::Float64
            | T::Decimal32(..)
            | T::Decimal64(..)
            | T::Decimal128(..)
            | T::Decimal256(..) => Typed::Number(cast(array, &T::Float64)?),
            T::Boolean => Typed::Flag(cast(array, &T::Boolean)?),
            T::Date32 | T::Date64 => Typed::Day(cast(array, &T::Date32)?),
            T::Timestamp(_, Some(_)) => {
                Typed::Instant(cast(array, &T::Timestamp(TimeUnit::Second, Some("UTC".into())))?)
            }
            T::Timestamp(_, None) => Typed::WallClock(cast(array, &T::Timestamp(TimeUnit::Second, None))?),
            T::List(item) | T::LargeList(item) => {
                let item = Arc::new(Field::new("item", item.data_type().clone(), true));
                let list: LargeListArray = cast(array, &T::LargeList(item))?;
                let values = Typed::new(list.values())?;
                Typed::List(list, Box::new(values))
            }
            _ => return None,
        })
    }

    fn value(&self, row: usize, text: &mut String, items: &mut Vec<Value>) -> Value {
        fn at<A: Array>(array: &A, row: usize, read: impl Fn(&A) -> Value) -> Value {
            if array.is_null(row) { Value::Absent } else { read(array) }
        }
        match self {
            Typed::Nothing => Value::Absent,
            Typed::Whole(array) => at(array, row, |array| Value::Whole(array.value(row))),
            Typed::Number(array) => at(array, row, |array| Value::Number(array.value(row))),
            Typed::Flag(array) => at(array, row, |array| Value::Flag(array.value(row))),
            Typed::Day(array) => at(array, row, |array| Value::Day(array.value(row))),
            Typed::Instant(array) => at(array, row, |array| Value::Instant(array.value(row))),
            Typed::WallClock(array) => at(array, row, |array| Value::WallClock(array.value(row))),
            Typed::Text(array) if array.is_null(row) => Value::Absent,
            Typed::Text(array) => {
                let start = text.len() as u32;
                text.push_str(array.value(row));
                Value::Text { start, end: text.len() as u32 }
            }
            Typed::List(array, _) if array.is_null(row) => Value::Absent,
            Typed::List(array, values) => {
                let offsets = array.value_offsets();
                let start = items.len() as u32;
                for item in offsets[row]..offsets[row + 1] {
                    // A list in a list has no meaning here.
                    let nested = matches!(**values, Typed::List(..));
                    let value = if nested { Value::Other } else { values.value(item as usize, text, items) };
                    items.push(value);
                }
                Value::List { start, end: items.len() as u32 }
            }
        }
    }
}

/// Casts and takes the concrete array.
fn cast<A: Array + Clone + 'static>(array: &ArrayRef, to: &DataType) -> Option<A> {
    arrow_cast::cast(array, to).ok()?.as_any().downcast_ref::<A>().cloned()
}
