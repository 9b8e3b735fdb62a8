//! The embeddings in an output, read back.

use std::sync::Arc;

use cairn_model::rows::ModelIdentity;
use cairn_model::{Embedding, Gallery};
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};

use crate::LabelError;
use crate::list::open_parquet;
use crate::plan::Plan;
use crate::store::{Store, StoredFile};

/// The columns by their paths.
const PHOTO: &str = "photo";
const EMBEDDING: &str = "embedding.list.element";

/// The photos in the output of a labelling with embeddings, in the order of its list; those that could not be read are left
/// out. `identity` and `features` are of the model that they are to be compared by.
///
/// # Errors
/// When the output cannot be read, is not finished, has no embeddings, or was made by another model.
pub fn read_embeddings(
    out: &dyn Store,
    features: usize,
    identity: &ModelIdentity,
) -> Result<Gallery, LabelError> {
    let unusable = |reason: String| LabelError::NoEmbeddings { out: out.name(), reason };
    let plan = Plan::read(out)?
        .ok_or_else(|| unusable("is no output of `cairn label`: it has no plan".to_owned()))?;
    if !plan.settings.embed {
        return Err(unusable("has no embeddings; label with --embed".to_owned()));
    }
    if plan.settings.digest != identity.digest {
        return Err(unusable(format!(
            "was labelled by the model {} ({}), and {} ({}) answers here; name that model by -m",
            plan.settings.model, plan.settings.digest, identity.name, identity.digest
        )));
    }
    let mut gallery = Gallery::new(features);
    for index in 0..plan.shards.len() {
        let name = plan.part_name(index);
        let part: Arc<dyn StoredFile> = out
            .open(&name)?
            .ok_or_else(|| unusable(format!("is not finished: {name} is missing; label again to go on")))?
            .into();
        let damaged = |reason: String| unusable(format!("{name} cannot be read ({reason})"));
        let reader = open_parquet(&part).map_err(damaged)?;
        for group in 0..reader.num_row_groups() {
            let read = |error: ParquetError| damaged(error.to_string());
            let group = reader.get_row_group(group).map_err(read)?;
            let photos = photos(&*group).map_err(read)?;
            let embeddings = embeddings(&*group).map_err(read)?;
            if photos.len() != embeddings.len() {
                return Err(damaged("its columns differ in length".to_owned()));
            }
            for (photo, embedding) in photos.into_iter().zip(embeddings) {
                match embedding.len() {
                    0 => {}
                    length if length == features => gallery.push(photo, &Embedding::of(&embedding)),
                    length => {
                        return Err(damaged(format!("{length} numbers, and the model has {features}")));
                    }
                }
            }
        }
    }
    Ok(gallery)
}

/// The reader of the column of this path.
fn column(group: &dyn RowGroupReader, path: &str) -> Result<ColumnReader, ParquetError> {
    let columns = group.metadata().columns();
    let place = columns.iter().position(|column| column.column_path().string() == path);
    group.get_column_reader(place.ok_or_else(|| ParquetError::General(format!("no column {path}")))?)
}

fn photos(group: &dyn RowGroupReader) -> Result<Vec<String>, ParquetError> {
    let ColumnReader::ByteArrayColumnReader(mut reader) = column(group, PHOTO)? else {
        return Err(ParquetError::General(format!("{PHOTO} is no text")));
    };
    let mut names = Vec::new();
    while reader.read_records(READ, None, None, &mut names)?.0 > 0 {}
    names.iter().map(|name| Ok(name.as_utf8()?.to_owned())).collect()
}

/// Each row's numbers, none where it has no embedding.
fn embeddings(group: &dyn RowGroupReader) -> Result<Vec<Vec<f32>>, ParquetError> {
    let ColumnReader::FloatColumnReader(mut reader) = column(group, EMBEDDING)? else {
        return Err(ParquetError::General(format!("{EMBEDDING} is no column of numbers")));
    };
    let mut rows: Vec<Vec<f32>> = Vec::new();
    let (mut defined, mut repeated, mut values) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        defined.clear();
        repeated.clear();
        values.clear();
        if reader.read_records(READ, Some(&mut defined), Some(&mut repeated), &mut values)?.0 == 0 {
            return Ok(rows);
        }
        let mut values = values.iter();
        for (defined, repeated) in defined.iter().zip(&repeated) {
            if *repeated == 0 {
                rows.push(Vec::new());
            }
            // A number is there from level 2 on: as the table is written.
            if *defined == 2
                && let (Some(row), Some(value)) = (rows.last_mut(), values.next())
            {
                row.push(*value);
            }
        }
    }
}

/// Rows that are read at once.
const READ: usize = 1024;
