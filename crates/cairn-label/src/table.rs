//! The rows of a shard as a Parquet file.
//!
//! | column | |
//! | --- | --- |
//! | `photo` | as the list names it; `TAR/MEMBER` in a tar file, `LIST#ROW` of bytes without a name |
//! | `is_landmark`, `landmark_score` | as in the rows of `cairn predict` |
//! | `class`, `name`, `probability`, `latitude`, `longitude` | of the landmark that the photo is taken to show, if any |
//! | `landmarks` | the likeliest landmarks, the likeliest first, each with those five columns |
//! | `width`, `height` | of the picture in the file, upright |
//! | `error` | why the photo could not be read; all others but `photo` are null then |
//! | `embedding` | where it is asked for: a list of as many numbers as the model has features, of length 1 |

use std::sync::Arc;

use cairn_model::{Landmark, Prediction};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde::{Deserialize, Serialize};

const COLUMNS: &str = "
    required binary photo (UTF8);
    optional boolean is_landmark;
    optional double landmark_score;
    optional binary class (UTF8);
    optional binary name (UTF8);
    optional float probability;
    optional double latitude;
    optional double longitude;
    required group landmarks (LIST) {
        repeated group list {
            required group element {
                required binary class (UTF8);
                required binary name (UTF8);
                required float probability;
                optional double latitude;
                optional double longitude;
            }
        }
    }
    optional int32 width (INTEGER(32,false));
    optional int32 height (INTEGER(32,false));
    optional binary error (UTF8);";

const EMBEDDING: &str = "
    optional group embedding (LIST) {
        repeated group list {
            required float element;
        }
    }";

/// The entry of a file's metadata that holds its [`Counts`].
const COUNTS: &str = "cairn";

/// What became of one photo.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LabelledPhoto {
    pub(crate) name: String,
    pub(crate) outcome: Result<Labels, String>,
}

/// What the model says of a photo.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labels {
    pub(crate) prediction: Prediction,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) embedding: Option<Vec<f32>>,
}

/// How many rows a file holds, and of which kinds. They are in its footer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows.
    pub photos: u64,
    /// Photos that are taken to show a landmark.
    pub landmarks: u64,
    /// Photos that could not be read.
    pub bad: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.photos += other.photos;
        self.landmarks += other.landmarks;
        self.bad += other.bad;
    }
}

impl Counts {
    fn of(rows: &[LabelledPhoto]) -> Self {
        let shows =
            |row: &&LabelledPhoto| row.labels().is_some_and(|labels| labels.prediction.named().is_some());
        Self {
            photos: rows.len() as u64,
            landmarks: rows.iter().filter(shows).count() as u64,
            bad: rows.iter().filter(|row| row.outcome.is_err()).count() as u64,
        }
    }

    /// Those of a file, by its last bytes: `None` where they are no footer of such a file, or too few.
    pub(crate) fn in_footer(tail: &[u8]) -> Option<Self> {
        let (footer, end) = tail.split_last_chunk::<8>()?;
        let [length @ .., _, _, _, _] = end;
        let length = u32::from_le_bytes(*length) as usize;
        let footer = footer.get(footer.len().checked_sub(length)?..)?;
        let metadata = ParquetMetaDataReader::decode_metadata(footer).ok()?;
        let entries = metadata.file_metadata().key_value_metadata()?;
        let counts = entries.iter().find(|entry| entry.key == COUNTS)?.value.as_ref()?;
        serde_json::from_str(counts).ok()
    }
}

impl LabelledPhoto {
    fn labels(&self) -> Option<&Labels> {
        self.outcome.as_ref().ok()
    }

    fn landmark(&self) -> Option<&Landmark> {
        self.labels()?.prediction.named()
    }

    fn landmarks(&self) -> &[Landmark] {
        self.labels().map_or(&[], |labels| &labels.prediction.landmarks)
    }
}

fn latitude(landmark: &Landmark) -> Option<f64> {
    landmark.place.as_ref().map(|place| place.latitude.degrees())
}

fn longitude(landmark: &Landmark) -> Option<f64> {
    landmark.place.as_ref().map(|place| place.longitude.degrees())
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text)
}

/// The file, in memory; the same rows give the same bytes.
pub(crate) fn write(rows: &[LabelledPhoto], embed: bool) -> Result<(Vec<u8>, Counts), ParquetError> {
    let counts = Counts::of(rows);
    let schema = format!("message photos {{{COLUMNS}{}\n}}", if embed { EMBEDDING } else { "" });
    let schema = Arc::new(parse_message_type(&schema)?);
    let entry = serde_json::to_string(&counts).map_err(|error| ParquetError::External(Box::new(error)))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![KeyValue::new(COUNTS.to_owned(), entry)]))
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    write_columns(Group { rows, writer: file.next_row_group()? }, embed)?;
    Ok((file.into_inner()?, counts))
}

/// All columns, in the order of the schema.
fn write_columns(mut group: Group<'_, '_>, embed: bool) -> Result<(), ParquetError> {
    group.each::<ByteArrayType>(|row| Some(text(&row.name)))?;
    group.each::<BoolType>(|row| row.labels()?.prediction.is_landmark)?;
    group.each::<DoubleType>(|row| Some(row.labels()?.prediction.landmark_score))?;
    group.each::<ByteArrayType>(|row| Some(text(&row.landmark()?.class)))?;
    group.each::<ByteArrayType>(|row| Some(text(&row.landmark()?.name)))?;
    group.each::<FloatType>(|row| Some(row.landmark()?.probability.value()))?;
    group.each::<DoubleType>(|row| latitude(row.landmark()?))?;
    group.each::<DoubleType>(|row| longitude(row.landmark()?))?;
    group.each_landmark::<ByteArrayType>(|landmark| Some(text(&landmark.class)))?;
    group.each_landmark::<ByteArrayType>(|landmark| Some(text(&landmark.name)))?;
    group.each_landmark::<FloatType>(|landmark| Some(landmark.probability.value()))?;
    group.each_landmark::<DoubleType>(latitude)?;
    group.each_landmark::<DoubleType>(longitude)?;
    // Sides of photos are far below 2^31.
    group.each::<Int32Type>(|row| Some(row.labels()?.width as i32))?;
    group.each::<Int32Type>(|row| Some(row.labels()?.height as i32))?;
    group.each::<ByteArrayType>(|row| row.outcome.as_ref().err().map(|error| text(error)))?;
    if embed {
        group.embeddings()?;
    }
    group.writer.close()?;
    Ok(())
}

/// A row group whose columns are written one after the other.
struct Group<'a, 'w> {
    rows: &'a [LabelledPhoto],
    writer: SerializedRowGroupWriter<'w, Vec<u8>>,
}

impl Group<'_, '_> {
    /// The next column, of a value a row.
    fn each<T: DataType>(
        &mut self,
        value: impl Fn(&LabelledPhoto) -> Option<T::T>,
    ) -> Result<(), ParquetError> {
        let values: Vec<Option<T::T>> = self.rows.iter().map(value).collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        self.column::<T>(&values.into_iter().flatten().collect::<Vec<_>>(), &levels, None)
    }

    /// The next column, of a value a landmark. A landmark is defined at level 1 and its value, where it may be missing, at 2.
    fn each_landmark<T: DataType>(
        &mut self,
        value: impl Fn(&Landmark) -> Option<T::T>,
    ) -> Result<(), ParquetError> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        // The columns of what may be missing come last.
        let may_be_missing = std::any::TypeId::of::<T>() == std::any::TypeId::of::<DoubleType>();
        for row in self.rows {
            if row.landmarks().is_empty() {
                defined.push(0);
                repeated.push(0);
            }
            for (place, landmark) in row.landmarks().iter().enumerate() {
                let value = value(landmark);
                defined.push(if may_be_missing && value.is_some() { 2 } else { 1 });
                repeated.push(i16::from(place > 0));
                values.extend(value);
            }
        }
        self.column::<T>(&values, &defined, Some(&repeated))
    }

    /// The column of embeddings: a row that has one is defined at level 2.
    fn embeddings(&mut self) -> Result<(), ParquetError> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.rows {
            let embedding = row.labels().and_then(|labels| labels.embedding.as_deref()).unwrap_or_default();
            if embedding.is_empty() {
                defined.push(0);
                repeated.push(0);
            }
            for (place, number) in embedding.iter().enumerate() {
                defined.push(2);
                repeated.push(i16::from(place > 0));
                values.push(*number);
            }
        }
        self.column::<FloatType>(&values, &defined, Some(&repeated))
    }

    fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        defined: &[i16],
        repeated: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = self.writer.next_column()? else {
            return Err(ParquetError::General("more columns than the schema has".to_owned()));
        };
        column.typed::<T>().write_batch(values, Some(defined), repeated)?;
        column.close()
    }
}
