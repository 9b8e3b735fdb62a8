//! A row for each photo that was considered, as a Parquet table.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::table::Row;
use super::{Export, ExportError};

/// The columns of [`Row`], in its order.
const SCHEMA: &str = "message photos {
    required binary photo (UTF8);
    required binary landmark (UTF8);
    optional binary wikidata (UTF8);
    required boolean marked;
    required boolean confirmed;
    required boolean rejected;
    required double probability;
    required double model_probability;
    required binary context (UTF8);
    optional double distance_km;
    optional binary taken (UTF8);
    optional double latitude;
    optional double longitude;
    optional binary city (UTF8);
    optional binary region (UTF8);
    optional binary country (UTF8);
    optional binary country_code (UTF8);
    optional double landmark_latitude;
    optional double landmark_longitude;
}";

pub(super) fn write(export: &Export<'_>, out: &mut (impl Write + Send)) -> Result<(), ExportError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let rows: Vec<Row<'_>> = export.rows.iter().map(Row::of).collect();
    let mut group = file.next_row_group()?;
    let text = |text: &str| Some(ByteArray::from(text));
    texts(&mut group, &rows, |row| text(&row.photo))?;
    texts(&mut group, &rows, |row| text(row.landmark))?;
    texts(&mut group, &rows, |row| row.wikidata.and_then(text))?;
    flags(&mut group, &rows, |row| row.marked)?;
    flags(&mut group, &rows, |row| row.confirmed)?;
    flags(&mut group, &rows, |row| row.rejected)?;
    numbers(&mut group, &rows, |row| Some(row.probability))?;
    numbers(&mut group, &rows, |row| Some(row.model_probability))?;
    texts(&mut group, &rows, |row| text(row.context.word()))?;
    numbers(&mut group, &rows, |row| row.distance_km)?;
    texts(&mut group, &rows, |row| row.taken.as_deref().and_then(text))?;
    numbers(&mut group, &rows, |row| row.latitude)?;
    numbers(&mut group, &rows, |row| row.longitude)?;
    texts(&mut group, &rows, |row| row.city.and_then(text))?;
    texts(&mut group, &rows, |row| row.region.and_then(text))?;
    texts(&mut group, &rows, |row| row.country.and_then(text))?;
    texts(&mut group, &rows, |row| row.country_code.and_then(text))?;
    numbers(&mut group, &rows, |row| row.landmark_latitude)?;
    numbers(&mut group, &rows, |row| row.landmark_longitude)?;
    group.close()?;
    file.close()?;
    Ok(())
}

type Group<'a, W> = SerializedRowGroupWriter<'a, W>;

fn texts<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Option<ByteArray>,
) -> Result<(), ExportError> {
    column::<ByteArrayType, W>(group, rows.iter().map(value).collect())
}

fn numbers<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> Option<f64>,
) -> Result<(), ExportError> {
    column::<DoubleType, W>(group, rows.iter().map(value).collect())
}

fn flags<W: Write + Send>(
    group: &mut Group<'_, W>,
    rows: &[Row<'_>],
    value: impl Fn(&Row<'_>) -> bool,
) -> Result<(), ExportError> {
    column::<BoolType, W>(group, rows.iter().map(|row| Some(value(row))).collect())
}

/// Writes the next column. Definition levels say which values are there; a required column has none.
fn column<T: DataType, W: Write + Send>(
    group: &mut Group<'_, W>,
    values: Vec<Option<T::T>>,
) -> Result<(), ExportError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&there, Some(&levels), None)?;
    column.close()?;
    Ok(())
}
