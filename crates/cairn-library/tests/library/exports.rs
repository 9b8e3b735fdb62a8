//! Tables for other programs.

use cairn_library::decisions::{About, DecisionLine, Decisions};
use cairn_library::evidence::{MarkRules, assess};
use cairn_library::export::{Export, ExportFormat};
use cairn_library::state::Decision;
use cairn_places::Gazetteer;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value, json};

use crate::house::{House, LANDMARK};

/// A library of two photos, of which a person confirmed one for a landmark with a place and one for a name without one.
fn confirmed() -> House {
    let house = House::new();
    for (seed, (name, landmark)) in
        [("a \u{e9}.jpg", LANDMARK), ("b.jpg", "Our town hall")].into_iter().enumerate()
    {
        house.jpeg(name, seed as u8);
        let library = house.scan();
        let payload = house.marks(&library, &[name], cairn_library::evidence::Basis::Model).marks[0].payload;
        let mut decisions = Decisions::open(&house.state, library.id).unwrap();
        let about = About::Picture(payload);
        let line = DecisionLine::new(about, Some(landmark), None, Some(Decision::Confirm));
        decisions.record(&house.state, line).unwrap();
    }
    house
}

/// A row as an object of JSON.
fn object(row: &Row) -> Map<String, Value> {
    let value = |field: &Field| match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => json!(flag),
        Field::Double(number) => json!(number),
        Field::Str(text) => json!(text),
        other => panic!("{other}"),
    };
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
}

#[test]
fn a_parquet_table_holds_what_the_lines_of_json_hold() {
    let (house, gazetteer) = (confirmed(), Gazetteer::builtin());
    let library = house.scan();
    let assessment = assess(&house.state, library.id, &gazetteer).unwrap();
    let export = Export::of(&house.state, &library, &assessment, &MarkRules::default(), &gazetteer).unwrap();
    let (mut table, mut lines) = (Vec::new(), Vec::new());
    export.write(ExportFormat::Parquet, &mut table).unwrap();
    export.write(ExportFormat::JsonLines, &mut lines).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let file = house.beside("photos.parquet");
    std::fs::write(&file, table).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let rows: Vec<Map<String, Value>> =
        reader.get_row_iter(None).unwrap().map(|row| object(&row.unwrap())).collect();
    assert_eq!(rows.len(), 2);
    let lines: Vec<Map<String, Value>> =
        lines.into_iter().map(|line| line.as_object().unwrap().clone()).collect();
    assert_eq!(rows, lines);
    assert_eq!(rows[0]["city"], "Paris");
    assert_eq!(rows[1]["city"], Value::Null, "a name without a place has none");
}
