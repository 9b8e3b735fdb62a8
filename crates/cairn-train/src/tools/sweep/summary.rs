//! The results of a sweep's runs, with the seeds of each combination together.

use crate::run::runs::Run;

/// Mean and standard deviation of a figure over runs that differ in their seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation (its sum of squares divided by one less than the number of runs); `None` of a
    /// single run.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of these values; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { mean, deviation })
    }
}

/// A combination of a sweep's values, with the figures of its runs at their best epoch by validation loss.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRow {
    /// The varied values, as text.
    pub values: Vec<String>,
    /// Runs that have ended.
    pub runs: usize,
    /// Mean cross-entropy on the validation photos, in nats.
    pub valid_loss: Option<Spread>,
    /// Accuracy on them, in `[0, 1]`.
    pub valid_accuracy: Option<Spread>,
    /// Macro F1 on them, in `[0, 1]`.
    pub valid_macro_f1: Option<Spread>,
    /// The best epoch, counted from 1.
    pub best_epoch: Option<Spread>,
}

/// A row for each combination of values, in the order in which they come; `runs` are those values with the run that was
/// trained with them, if it has come to its end.
pub fn summarise<'a>(runs: impl IntoIterator<Item = (&'a [String], Option<&'a Run>)>) -> Vec<SweepRow> {
    let mut groups: Vec<(&[String], Vec<&Run>)> = Vec::new();
    for (values, run) in runs {
        let place = groups.iter().position(|group| group.0 == values).unwrap_or_else(|| {
            groups.push((values, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.extend(run);
    }
    groups.into_iter().map(|(values, runs)| row(values, &runs)).collect()
}

fn row(values: &[String], runs: &[&Run]) -> SweepRow {
    let best: Vec<_> = runs.iter().filter_map(|run| run.history.best()).collect();
    let spread = |of: fn(&crate::EpochRecord) -> f64| {
        Spread::of(&best.iter().map(|epoch| of(epoch)).collect::<Vec<_>>())
    };
    SweepRow {
        values: values.to_vec(),
        runs: runs.len(),
        valid_loss: spread(|epoch| epoch.valid_loss),
        valid_accuracy: spread(|epoch| epoch.valid_accuracy),
        valid_macro_f1: spread(|epoch| epoch.valid_macro_f1),
        best_epoch: spread(|epoch| epoch.epoch as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_the_samples_mean_and_standard_deviation() {
        // Python 3.12: statistics.mean and statistics.stdev of [2, 4, 4, 4, 5, 5, 7, 9].
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(spread.mean, 5.0);
        assert!((spread.deviation.unwrap() - 2.138_089_935_299_395).abs() < 1e-12);
    }

    #[test]
    fn a_single_value_has_no_spread_and_none_has_no_mean() {
        assert_eq!(Spread::of(&[3.0]), Some(Spread { mean: 3.0, deviation: None }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn combinations_keep_their_order_and_runs_that_did_not_end_do_not_count() {
        let (a, b) = (["a".to_owned()], ["b".to_owned()]);
        let rows = summarise([(&b[..], None), (&a[..], None), (&b[..], None)]);
        assert_eq!(rows.iter().map(|row| row.values.clone()).collect::<Vec<_>>(), [b, a]);
        assert!(rows.iter().all(|row| row.runs == 0 && row.valid_loss.is_none()));
    }
}
