//! Text in cells of CSV, which spreadsheets would otherwise take for formulas.

use std::borrow::Cow;

/// Text as a cell of CSV: with an apostrophe before it if a spreadsheet would take it for a formula.
///
/// Spreadsheets calculate cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return, whatever the CSV file
/// quotes (OWASP, "CSV injection"). The apostrophe marks text in all of them. [`csv_value`] takes it off again. Numbers
/// that a program writes are not text: they go into the file as they are.
pub fn csv_text(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of which [`csv_text`] made this cell.
pub fn csv_value(cell: &str) -> &str {
    let unmarked = cell.strip_prefix('\'').filter(|rest| is_formula(rest.trim_start_matches('\'')));
    unmarked.unwrap_or(cell)
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_that_would_be_a_formula_is_marked_as_text_and_others_stay() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1+2", "'-1+2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'=1", "''=1"),
            ("Eiffel Tower", "Eiffel Tower"),
            ("'t Hooft's house", "'t Hooft's house"),
            ("", ""),
        ] {
            assert_eq!(csv_text(text), cell);
            assert_eq!(csv_value(cell), text);
        }
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_each_reads_back(text in "['=+@\\-\t\ra \n]{0,5}\\PC{0,5}") {
            let cell = csv_text(&text);
            prop_assert!(!is_formula(&cell));
            prop_assert_eq!(csv_value(&cell), text.as_str());
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record([cell.as_ref(), "1"]).unwrap();
            let bytes = csv.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(csv_value(&record[0]), text.as_str());
        }
    }
}
