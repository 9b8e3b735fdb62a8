//! An evaluation as text for a terminal.

use crate::classification::{ClassReport, MOST_SHOWN, worth_showing};
use crate::evaluation::{Evaluation, nats, percent};
use cairn_dataset::escape::shown;
use comfy_table::{CellAlignment, Table, presets};
use std::fmt;

/// The headline figures, then a table of the classes in class order, ratios as 0 to 1: plain text without
/// colours or control codes, the same on a terminal and in a file.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "loss      {}{}",
            nats(self.loss),
            self.before_calibration(nats(self.loss_uncalibrated))
        )?;
        writeln!(f, "accuracy  {}", self.accuracy_headline())?;
        writeln!(f, "top-3     {}", percent(self.top3))?;
        writeln!(f, "macro F1  {}", percent(self.macro_f1))?;
        writeln!(
            f,
            "ECE       {}{}",
            percent(self.ece),
            self.before_calibration(percent(self.ece_uncalibrated))
        )?;
        let unscored = self.confusion.unscored();
        if unscored > 0 {
            writeln!(f, "unscored  {unscored} (the network's output was not a number)")?;
        }
        writeln!(f)?;
        if self.per_class.len() > MOST_SHOWN {
            writeln!(f, "the best and the worst of {} classes; --json has all", self.per_class.len())?;
        }
        writeln!(f, "{}", class_table(self).trim_fmt())
    }
}

impl Evaluation {
    /// What a figure was without calibration, for a model that has one.
    fn before_calibration(&self, figure: String) -> String {
        if self.temperature == 1.0 { String::new() } else { format!(" ({figure} uncalibrated)") }
    }
}

/// All classes in their order, or of very many the best and the worst.
fn shown_rows(evaluation: &Evaluation) -> Vec<&ClassReport> {
    match evaluation.per_class.len() > MOST_SHOWN {
        true => worth_showing(&evaluation.per_class),
        false => evaluation.per_class.iter().collect(),
    }
}

fn class_table(evaluation: &Evaluation) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["class", "precision", "recall", "F1", "support"]);
    for class in shown_rows(evaluation) {
        table.add_row([
            shown(&class.name).into_owned(),
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

#[cfg(test)]
mod tests {
    use crate::Scores;
    use cairn_dataset::{ClassId, ClassList};

    #[test]
    fn an_evaluation_prints_its_headline_and_one_aligned_row_for_each_class() {
        let mut scores = Scores::new(3);
        for (truth, logits) in
            [(0, [2.0, 0.0, 1.0]), (0, [0.0, 0.0, 1.0]), (1, [0.0, 3.0, 0.0]), (2, [0.0, 0.0, 2.0])]
        {
            scores.push(ClassId::new(truth), &logits);
        }
        let classes =
            ClassList::from_folders(["00.Christ_the_Redeemer", "01.Mont-Saint-Michel", "02.Ōura_天主堂"]);
        insta::assert_snapshot!(scores.evaluate(&classes, 1.0), @r"
        loss      0.5734
        accuracy  75% (3/4)
        top-3     100.0%
        macro F1  77.8%
        ECE       30.4%

        class                precision  recall     F1  support
        Christ the Redeemer      1.000   0.500  0.667        2
        Mont-Saint-Michel        1.000   1.000  1.000        1
        Ōura 天主堂              0.500   1.000  0.667        1
        ");
    }

    #[test]
    fn a_photo_without_scores_is_told_of() {
        let mut scores = Scores::new(1);
        scores.push(ClassId::new(0), &[f32::NAN]);
        insta::assert_snapshot!(scores.evaluate(&ClassList::from_folders(["00.Arc"]), 1.0), @r"
        loss      –
        accuracy  0% (0/1)
        top-3     0.0%
        macro F1  0.0%
        ECE       –
        unscored  1 (the network's output was not a number)

        class  precision  recall     F1  support
        Arc        0.000   0.000  0.000        1
        ");
    }

    #[test]
    fn of_a_calibrated_model_both_errors_are_shown() {
        let mut scores = Scores::new(2);
        // Ten photos with logits ln 9 apart, so 90 % sure and at twice the temperature 75 %; half of them right.
        for photo in 0..10 {
            scores.push(ClassId::new(photo % 2), &[9.0_f32.ln(), 0.0]);
        }
        let text = scores.evaluate(&ClassList::from_folders(["00.Arc", "01.Old_Bridge"]), 2.0).to_string();
        assert!(text.contains("\nECE       25.0% (40.0% uncalibrated)\n"), "{text}");
    }
}
