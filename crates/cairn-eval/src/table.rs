//! An evaluation as text for a terminal.

use crate::evaluation::Evaluation;
use comfy_table::{CellAlignment, Table, presets};
use std::fmt;

/// The headline figures, then a table of the classes in class order with their mean below: plain text without
/// colours or control codes, the same on a terminal and in a file.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "loss      {:.4}", self.loss)?;
        writeln!(f, "accuracy  {}", self.accuracy_headline())?;
        writeln!(f, "top-3     {:.1}%", 100.0 * self.top3)?;
        writeln!(f, "macro F1  {:.1}%", 100.0 * self.macro_f1)?;
        writeln!(f, "ECE       {:.1}%", 100.0 * self.ece)?;
        let unscored = self.confusion.unscored();
        if unscored > 0 {
            writeln!(f, "unscored  {unscored} (the network's output was not a number)")?;
        }
        writeln!(f)?;
        writeln!(f, "{}", class_table(self).trim_fmt())
    }
}

fn class_table(evaluation: &Evaluation) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["class", "precision", "recall", "F1", "support"]);
    for class in &evaluation.per_class {
        table.add_row([
            class.name.clone(),
            format!("{:.3}", class.precision),
            format!("{:.3}", class.recall),
            format!("{:.3}", class.f1),
            class.support.to_string(),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
