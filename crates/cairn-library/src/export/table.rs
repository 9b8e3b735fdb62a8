//! A row for each photo that was considered, as CSV and as lines of JSON.

use std::io::{self, Write};

use cairn_dataset::path_text;
use serde::Serialize;

use super::{Export, ExportError, ExportRow};
use crate::state::Verdict;

/// The columns, in their order.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    pub(super) photo: String,
    pub(super) landmark: &'a str,
    pub(super) wikidata: Option<&'a str>,
    pub(super) marked: bool,
    pub(super) confirmed: bool,
    pub(super) rejected: bool,
    pub(super) probability: f64,
    pub(super) model_probability: f64,
    pub(super) context: Verdict,
    pub(super) distance_km: Option<f64>,
    pub(super) taken: Option<String>,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) city: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) country: Option<&'a str>,
    pub(super) country_code: Option<&'a str>,
    pub(super) landmark_latitude: Option<f64>,
    pub(super) landmark_longitude: Option<f64>,
}

impl<'a> Row<'a> {
    pub(super) fn of(row: &'a ExportRow<'_>) -> Row<'a> {
        let (assessed, place, own) = (row.assessed, row.place.as_ref(), row.position());
        Row {
            photo: path_text(&row.path),
            landmark: &assessed.landmark,
            wikidata: assessed.wikidata.as_deref(),
            marked: row.marked.is_some(),
            confirmed: assessed.confirmed,
            rejected: assessed.rejected,
            probability: assessed.probability,
            model_probability: assessed.model_probability,
            context: assessed.context.verdict,
            distance_km: assessed.context.distance_km,
            taken: row.taken(),
            latitude: own.map(|own| own.latitude),
            longitude: own.map(|own| own.longitude),
            city: place.and_then(|place| place.city.as_deref()),
            region: place.and_then(|place| place.region.as_deref()),
            country: place.map(|place| place.country.as_str()),
            country_code: place.map(|place| place.country_code.as_str()),
            landmark_latitude: place.map(|place| place.latitude.degrees()),
            landmark_longitude: place.map(|place| place.longitude.degrees()),
        }
    }
}

pub(super) fn write_csv(export: &Export<'_>, out: &mut impl Write) -> Result<(), ExportError> {
    let mut table = csv::Writer::from_writer(out);
    for row in &export.rows {
        table.serialize(Row::of(row))?;
    }
    table.flush()?;
    Ok(())
}

pub(super) fn write_json_lines(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    for row in &export.rows {
        serde_json::to_writer(&mut *out, &Row::of(row))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
