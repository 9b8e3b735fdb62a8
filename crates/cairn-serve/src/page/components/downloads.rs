//! Rows as files for other programs: JSON, CSV and GeoJSON. Cards carry their row in each of these forms, and the page's
//! script puts them together.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_model::rows::{Detail, Row, csv_header, csv_lines};
use maud::{Markup, html};

use crate::geojson::photo_feature;

/// A row as JSON.
pub(crate) fn row_json(row: &Row<'_>) -> Option<String> {
    row.json(Detail::Whole).ok()
}

/// The lines of a row in CSV.
pub(crate) fn row_csv(row: &Row<'_>) -> Option<String> {
    String::from_utf8(csv_lines(row, Detail::Whole).ok()?).ok()
}

/// A row as a feature of GeoJSON, without geometry where no place is known.
pub(crate) fn row_feature(row: &Row<'_>) -> String {
    photo_feature(row).to_string()
}

/// The first line of CSV.
pub(crate) fn csv_first_line() -> String {
    csv_header(Detail::Whole).ok().and_then(|line| String::from_utf8(line).ok()).unwrap_or_default()
}

/// Links that save all rows, for browsers without the script: the files are in their addresses.
pub(crate) fn links(rows: &[Row<'_>]) -> Markup {
    let json = format!("[\n{}\n]\n", rows.iter().filter_map(row_json).collect::<Vec<_>>().join(",\n"));
    let csv = csv_first_line() + &rows.iter().filter_map(row_csv).collect::<String>();
    let features = rows.iter().map(row_feature).collect::<Vec<_>>().join(",\n");
    let geojson = format!("{{\"type\":\"FeatureCollection\",\"features\":[\n{features}\n]}}\n");
    let link = |name: &str, media_type: &str, ending: &str, content: &str| {
        let address = format!("data:{media_type};base64,{}", STANDARD.encode(content));
        html! { a href=(address) download={ "landmarks." (ending) } { (name) } " " }
    };
    html! {
        (link("CSV", "text/csv", "csv", &csv))
        (link("JSON", "application/json", "json", &json))
        (link("GeoJSON", "application/geo+json", "geojson", &geojson))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;
    use cairn_model::Prediction;
    use cairn_model::rows::RowOutcome;
    use serde_json::Value;

    fn row(prediction: &Prediction) -> Row<'_> {
        let outcome = RowOutcome::Prediction(prediction);
        Row { photo: "a.jpg".to_owned(), outcome, camera: None, stamp: None, model: None }
    }

    #[test]
    fn the_links_hold_files_that_can_be_read_again() {
        let (known, unknown) = (sample::prediction(true), sample::prediction(false));
        let text = links(&[row(&known), row(&unknown)]).into_string();
        let file = |media_type: &str| {
            let start = format!("href=\"data:{media_type};base64,");
            let rest = text.split(&start).nth(1).unwrap();
            String::from_utf8(STANDARD.decode(rest.split('"').next().unwrap()).unwrap()).unwrap()
        };
        let json: Value = serde_json::from_str(&file("application/json")).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 2);
        let geojson: Value = serde_json::from_str(&file("application/geo+json")).unwrap();
        assert_eq!(geojson["features"].as_array().unwrap().len(), 2);
        let csv = file("text/csv");
        assert!(csv.starts_with("photo,rank,class,name,probability") && csv.lines().count() == 5, "{csv}");
    }
}
