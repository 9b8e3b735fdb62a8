//! A run's results as cells of a table.

use cairn_train::{Run, StopReason};

use crate::table_output::{Cell, Column};

/// The columns of a run's results, in the order of [`results`].
pub(super) fn result_columns() -> [Column; 7] {
    [
        ("epochs", "epochs"),
        ("best_epoch", "best"),
        ("valid_loss", "loss"),
        ("valid_accuracy", "accuracy"),
        ("valid_macro_f1", "macro F1"),
        ("photos_per_second", "photos/s"),
        ("ended", "ended"),
    ]
    .map(|(key, heading)| Column::new(key, heading))
    .map(|column| match column.key.as_str() {
        "photos_per_second" => column.spared(9),
        "valid_macro_f1" => column.spared(8),
        "best_epoch" => column.spared(5),
        "valid_loss" => column.spared(4),
        "ended" => column.spared(2),
        _ => column,
    })
}

/// A run's best epoch by validation loss, its speed, and whether it is over.
pub(super) fn results(run: &Run) -> [Cell; 7] {
    let best = run.history.best();
    let of_best = |cell: fn(&cairn_train::EpochRecord) -> Cell| best.map_or(Cell::Nothing, cell);
    let ended = match run.record.ended {
        Some(StopReason::Epochs) => Cell::text("all epochs"),
        Some(StopReason::Minutes) => Cell::text("time over"),
        Some(StopReason::EarlyStopping) => Cell::text("early"),
        Some(StopReason::Diverged) => Cell::text("diverged"),
        Some(StopReason::Interrupted) | None => Cell::Nothing,
    };
    [
        Cell::count(run.history.epochs().len()),
        of_best(|epoch| Cell::count(epoch.epoch)),
        of_best(|epoch| Cell::number(epoch.valid_loss, 4)),
        of_best(|epoch| Cell::percent(epoch.valid_accuracy)),
        of_best(|epoch| Cell::percent(epoch.valid_macro_f1)),
        run.photos_per_second().map_or(Cell::Nothing, |speed| Cell::number(speed, 1)),
        ended,
    ]
}
