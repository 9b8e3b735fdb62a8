//! Rows of figures as table, JSON, JSON lines or CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use anyhow::Result;
use cairn_dataset::escape::{csv_text, shown};
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};
use serde::Serialize;
use serde::ser::SerializeMap;
use unicode_width::UnicodeWidthStr;

use crate::json;
use crate::progress::say;
use crate::rows::Format;
use crate::standard_output::{self, StandardOutput};

/// Characters between two columns.
const PADDING: u16 = 2;

/// A column: what it is called in data, and over a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub key: String,
    pub heading: String,
    width: Option<u16>,
    /// Whether a table leaves it out where the terminal is too narrow, those with the greatest number first.
    spared: Option<u8>,
}

impl Column {
    pub(crate) fn new(key: impl Into<String>, heading: impl Into<String>) -> Self {
        Self { key: key.into(), heading: heading.into(), width: None, spared: None }
    }

    /// In a table with a line for each row, what is longer than `characters` goes on below.
    pub(crate) fn at_most(self, characters: u16) -> Self {
        Self { width: Some(characters), ..self }
    }

    /// In a table with a line for each row that is too wide for the terminal, this column is left out before those with
    /// smaller numbers and before those that are always there.
    pub(crate) fn spared(self, order: u8) -> Self {
        Self { spared: Some(order), ..self }
    }
}

/// The value of a row in a column.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Text(String),
    /// A text, and how a table shows it.
    ShownAs {
        value: String,
        shown: &'static str,
    },
    /// A number, and how a table shows it.
    Number {
        value: f64,
        shown: String,
    },
    Nothing,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn shown_as(value: impl Into<String>, shown: &'static str) -> Self {
        Self::ShownAs { value: value.into(), shown }
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::Number { value: count as f64, shown: count.to_string() }
    }

    pub(crate) fn number(value: f64, decimals: usize) -> Self {
        Self::Number { value, shown: fixed(value, decimals) }
    }

    /// A share of 1, which a table shows in per cent.
    pub(crate) fn percent(share: f64) -> Self {
        Self::Number { value: share, shown: format!("{:.1}%", share * 100.0) }
    }

    fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => shown(text),
            Self::ShownAs { shown, .. } => Cow::Borrowed(shown),
            Self::Number { shown, .. } => Cow::Borrowed(shown),
            Self::Nothing => Cow::Borrowed("–"),
        }
    }

    fn in_csv(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::ShownAs { value: text, .. } => csv_text(text),
            Self::Number { value, .. } if value.is_finite() => Cow::Owned(whole(*value)),
            Self::Number { .. } | Self::Nothing => Cow::Borrowed(""),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::ShownAs { value: text, .. } => serializer.serialize_str(text),
            // A count is written without a fraction.
            Self::Number { value, .. } if value.fract() == 0.0 && value.abs() < 1e15 => {
                serializer.serialize_i64(*value as i64)
            }
            Self::Number { value, .. } => serializer.serialize_f64(*value),
            Self::Nothing => serializer.serialize_none(),
        }
    }
}

/// Numbers from here on are written by their exponents: nobody counts their zeros.
const LARGE: f64 = 1e15;

/// With so many decimals; `1e38` where that would be a long row of zeros.
fn fixed(value: f64, decimals: usize) -> String {
    if value.is_finite() && value.abs() >= LARGE {
        format!("{value:.2e}")
    } else {
        format!("{value:.decimals$}")
    }
}

/// All digits of a number, none of its zeros.
fn whole(value: f64) -> String {
    if value.abs() >= LARGE { format!("{value:e}") } else { value.to_string() }
}

/// Rows under columns, each row as long as there are columns.
#[derive(Debug, Clone)]
pub(crate) struct TableOutput {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// The direction of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A line for each row.
    Rows,
    /// A line for each column: for few rows with much in them, side by side.
    SideBySide,
}

impl TableOutput {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Writes all rows to standard output.
    pub(crate) fn print(&self, format: Format, layout: Layout) -> Result<()> {
        if let (Format::Table, Layout::Rows, Some(columns)) = (format, layout, standard_output::columns()) {
            let narrow = self.within(columns);
            if narrow.columns.len() < self.columns.len() {
                let left_out = self.columns.iter().filter(|column| !narrow.has(&column.key));
                let left_out = left_out.map(|column| column.heading.as_str()).collect::<Vec<_>>().join(", ");
                narrow.write(&mut StandardOutput::open()?, format, layout)?;
                say(format!("too narrow for: {left_out} (--format csv has all)"));
                return Ok(());
            }
        }
        self.write(&mut StandardOutput::open()?, format, layout)
    }

    /// Writes all rows to `out`.
    pub(crate) fn write(&self, out: &mut impl Write, format: Format, layout: Layout) -> Result<()> {
        match format {
            Format::Table => writeln!(out, "{}", self.table(layout).trim_fmt())?,
            Format::Json => {
                let rows: Vec<Object<'_>> = self.objects().collect();
                json::write_pretty(out, &rows)?;
            }
            Format::Jsonl => {
                for row in self.objects() {
                    json::write(out, &row)?;
                    writeln!(out)?;
                }
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(&mut *out);
                let heads = self.columns.iter().map(|column| csv_text(&column.key).into_owned());
                csv.write_record(heads).map_err(io::Error::from)?;
                for row in &self.rows {
                    csv.write_record(row.iter().map(|cell| cell.in_csv().into_owned()))
                        .map_err(io::Error::from)?;
                }
                csv.flush()?;
            }
        }
        Ok(out.flush()?)
    }

    fn has(&self, key: &str) -> bool {
        self.columns.iter().any(|column| column.key == key)
    }

    /// The table without as many of its spared columns as its table needs to be no wider than `columns`.
    fn within(&self, columns: usize) -> Self {
        let mut table = self.clone();
        while table.width() > columns {
            let spared = table.columns.iter().enumerate();
            let Some((place, _)) = spared
                .filter_map(|(place, column)| Some((place, column.spared?)))
                .max_by_key(|spared| spared.1)
            else {
                break;
            };
            table.columns.remove(place);
            table.rows.iter_mut().for_each(|row| drop(row.remove(place)));
        }
        table
    }

    /// How wide its table is, with a line for each row.
    fn width(&self) -> usize {
        let table = self.table(Layout::Rows).trim_fmt();
        table.lines().map(|line| line.width()).max().unwrap_or_default()
    }

    fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        self.rows.iter().map(|row| Object { columns: &self.columns, row })
    }

    fn table(&self, layout: Layout) -> Table {
        let headings = self.columns.iter().map(|column| shown(&column.heading));
        let mut lines: Vec<Vec<Cow<'_, str>>> = vec![headings.collect()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()));
        if layout == Layout::SideBySide {
            lines =
                (0..self.columns.len()).map(|n| lines.iter().map(|line| line[n].clone()).collect()).collect();
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        lines.iter().for_each(|line| {
            table.add_row(line);
        });
        for (place, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, PADDING));
            if layout == Layout::Rows && self.is_numeric(place) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let width = self.columns.get(place).and_then(|column| column.width);
            if let (Layout::Rows, Some(width)) = (layout, width) {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width + PADDING)));
            }
        }
        table
    }

    fn is_numeric(&self, place: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| &row[place]);
        cells.all(|cell| !matches!(cell, Cell::Text(_) | Cell::ShownAs { .. }))
    }
}

/// A row as a JSON object with its columns in order.
struct Object<'a> {
    columns: &'a [Column],
    row: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.row.len()))?;
        for (column, cell) in self.columns.iter().zip(self.row) {
            map.serialize_entry(&column.key, cell)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use cairn_dataset::escape::{csv_value, is_hidden};
    use proptest::prelude::*;

    use super::*;

    fn written(format: Format, layout: Layout) -> String {
        let mut table = TableOutput::new(vec![
            Column::new("run", "run"),
            Column::new("epochs", "epochs"),
            Column::new("accuracy", "accuracy"),
        ]);
        table.push(vec![Cell::text("quick-1"), Cell::count(12), Cell::percent(0.625)]);
        table.push(vec![Cell::text("a, b"), Cell::count(0), Cell::Nothing]);
        let mut out = Vec::new();
        table.write(&mut out, format, layout).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_has_a_line_a_row_or_a_line_a_column() {
        insta::assert_snapshot!(written(Format::Table, Layout::Rows), @r"
        run      epochs  accuracy
        quick-1      12     62.5%
        a, b          0         –
        ");
        insta::assert_snapshot!(written(Format::Table, Layout::SideBySide), @r"
        run       quick-1  a, b
        epochs    12       0
        accuracy  62.5%    –
        ");
    }

    #[test]
    fn a_column_of_a_given_width_goes_on_below() {
        let mut table = TableOutput::new(vec![
            Column::new("photos.augment", "photos.augment").at_most(24),
            Column::new("runs", "runs"),
        ]);
        table.push(vec![Cell::text("[{ horizontal_flip = { p = 0.5 } }, \"auto\"]"), Cell::count(3)]);
        table.push(vec![Cell::text("[]"), Cell::count(3)]);
        let mut out = Vec::new();
        table.write(&mut out, Format::Table, Layout::Rows).unwrap();
        let lines = String::from_utf8(out).unwrap();
        assert!(lines.lines().all(|line| line.len() <= 24 + 2 + 4), "{lines}");
        assert_eq!(lines.lines().count(), 1 + 2 + 1, "{lines}");
    }

    #[test]
    fn a_narrow_terminal_has_fewer_columns_and_no_line_that_wraps() {
        let mut table = TableOutput::new(vec![
            Column::new("run", "run"),
            Column::new("begun", "begun").spared(2),
            Column::new("loss", "loss"),
            Column::new("speed", "photos/s").spared(3),
        ]);
        table.push(vec![
            Cell::text("runs/quick-1"),
            Cell::text("2026-01-01 10:00"),
            Cell::number(0.5, 4),
            Cell::count(3),
        ]);
        let keys = |columns: usize| {
            let narrow = table.within(columns);
            assert!(narrow.width() <= columns || columns < 24, "{columns}");
            narrow.columns.into_iter().map(|column| column.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(80), ["run", "begun", "loss", "speed"]);
        assert_eq!(keys(47), ["run", "begun", "loss"]);
        assert_eq!(keys(30), ["run", "loss"]);
        assert_eq!(keys(5), ["run", "loss"], "what is always there stays");
    }

    #[test]
    fn large_numbers_are_written_without_their_zeros() {
        let mut table = TableOutput::new(vec![Column::new("rate", "rate")]);
        table.push(vec![Cell::number(1e38, 4)]);
        table.push(vec![Cell::number(-0.125, 4)]);
        let written = |format| {
            let mut out = Vec::new();
            table.write(&mut out, format, Layout::Rows).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(Format::Csv), "rate\n1e38\n-0.125\n");
        let table = written(Format::Table);
        assert_eq!(table.split_whitespace().collect::<Vec<_>>(), ["rate", "1.00e38", "-0.1250"]);
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(json[0]["rate"], 1e38);
    }

    #[test]
    fn data_have_the_numbers_themselves_and_nothing_for_what_is_not_there() {
        assert_eq!(
            written(Format::Csv, Layout::Rows),
            "run,epochs,accuracy\nquick-1,12,0.625\n\"a, b\",0,\n"
        );
        assert_eq!(
            written(Format::Jsonl, Layout::Rows),
            "{\"run\":\"quick-1\",\"epochs\":12,\"accuracy\":0.625}\n{\"run\":\"a, b\",\"epochs\":0,\"accuracy\":null}\n"
        );
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json, Layout::Rows)).unwrap();
        assert_eq!(json[1]["accuracy"], serde_json::Value::Null);
    }

    proptest! {
        #[test]
        fn whatever_the_names_a_table_has_a_line_a_row_and_csv_has_the_value(
            names in prop::collection::vec(any::<String>(), 1..5),
            formula in "[=+@\\-\t\r'][a-z()0-9]{0,6}",
        ) {
            let mut table = TableOutput::new(vec![Column::new("name", "name"), Column::new("n", "n")]);
            let names: Vec<String> = names.into_iter().chain([formula]).collect();
            for (n, name) in names.iter().enumerate() {
                table.push(vec![Cell::text(name), Cell::count(n)]);
            }
            let written = |format| {
                let mut out = Vec::new();
                table.write(&mut out, format, Layout::Rows).unwrap();
                String::from_utf8(out).unwrap()
            };
            let table = written(Format::Table);
            prop_assert_eq!(table.lines().count(), names.len() + 1, "{}", table);
            prop_assert!(!table.contains(|c| c != '\n' && is_hidden(c)), "{table:?}");
            let csv = written(Format::Csv);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            for (record, name) in reader.records().zip(&names) {
                let cell = record.unwrap()[0].to_owned();
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
                prop_assert_eq!(csv_value(&cell), name);
            }
            let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
            prop_assert!(names.iter().enumerate().all(|(n, name)| json[n]["name"] == name.as_str()));
        }
    }
}
