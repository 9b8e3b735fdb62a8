//! Where a chart's axes begin and end, and where they are labelled.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// The span of an axis, the values labelled on it, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    /// Distance between neighbouring ticks.
    step: f64,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    One,
    /// The values are fractions, the labels hundredths.
    Percent,
    /// The values are decimal logarithms, the labels powers of ten.
    PowerOfTen,
}

/// At most this many steps between ticks, along and upwards: fewer upwards, where each draws a grid line.
const STEPS_ALONG: f64 = 10.0;
const STEPS_UPWARDS: f64 = 6.0;

impl Axis {
    /// From epoch 1 to the last, whole epochs labelled. A single epoch is in the middle.
    pub(crate) fn of_epochs(epochs: usize) -> Axis {
        let last = epochs.max(1) as f64;
        let step = step(last, STEPS_ALONG).max(1.0);
        let mut ticks = multiples(step, last);
        ticks.retain(|&epoch| epoch >= 1.0);
        let range = if epochs > 1 { 1.0..last } else { 0.0..2.0 };
        Axis { range, ticks, step, unit: Unit::One }
    }

    /// From 0 to somewhat above `greatest`, which leaves room for the line.
    pub(crate) fn of_values(greatest: f64) -> Axis {
        let top = if greatest > 0.0 { (greatest * 1.05).min(f64::MAX) } else { 1.0 };
        let step = step(top, STEPS_UPWARDS);
        Axis { range: 0.0..top, ticks: multiples(step, top), step, unit: Unit::One }
    }

    /// From `least` to `greatest`, where a line that begins at 0 would be flat.
    pub(crate) fn of_span(least: f64, greatest: f64) -> Axis {
        let range = if least < greatest { least..greatest } else { least - 0.5..least + 0.5 };
        let step = step(range.end - range.start, STEPS_UPWARDS);
        let (first, last) = ((range.start / step - 1e-9).ceil(), (range.end / step + 1e-9).floor());
        let ticks = (first as i64..=last as i64).map(|multiple| multiple as f64 * step).collect();
        Axis { range, ticks, step, unit: Unit::One }
    }

    /// From 0 to the next 10 % above `greatest`, and never above 100 %.
    pub(crate) fn of_fractions(greatest: f64) -> Axis {
        let top = ((greatest * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
        let step = step(top, STEPS_UPWARDS);
        Axis { range: 0.0..top, ticks: multiples(step, top), step, unit: Unit::Percent }
    }

    /// A logarithmic axis: from `least` to `greatest`, which are decimal logarithms, whole powers of ten labelled.
    pub(crate) fn of_powers_of_ten(least: f64, greatest: f64) -> Axis {
        let range = if least < greatest { least..greatest } else { least - 1.0..least + 1.0 };
        let exponents = range.start.ceil() as i32..=range.end.floor() as i32;
        Axis { range, ticks: exponents.map(f64::from).collect(), step: 1.0, unit: Unit::PowerOfTen }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let along = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (along * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Asked for light points too, Plotters would draw a second grid.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    /// The text at a tick, with as many decimals as tell the ticks from each other.
    fn format_ext(&self, value: &f64) -> String {
        let (factor, sign) = match self.unit {
            Unit::One => (1.0, ""),
            Unit::Percent => (100.0, "%"),
            Unit::PowerOfTen => return format!("1e{value:.0}"),
        };
        // Rounded, because the logarithm of 0.001 may come out a little under -3.
        let decimals = (-((factor * self.step).log10() + 1e-9).floor()).max(0.0) as usize;
        format!("{:.decimals$}{sign}", factor * value)
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that leaves no more than `most` steps up to `top`.
fn step(top: f64, most: f64) -> f64 {
    let power = 10_f64.powf((top / most).log10().floor());
    let fits = |factor: &f64| top / (factor * power) <= most;
    [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0) * power
}

/// The multiples of `step` from 0 to `top`, with a little allowance for rounding at the upper end.
fn multiples(step: f64, top: f64) -> Vec<f64> {
    let count = (top / step + 1e-9).floor() as usize;
    (0..=count).map(|multiple| multiple as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_labelled_with_whole_numbers_however_many_there_are() {
        assert_eq!(Axis::of_epochs(0).ticks, [1.0]);
        assert_eq!(Axis::of_epochs(1).ticks, [1.0]);
        assert_eq!(Axis::of_epochs(2).ticks, [1.0, 2.0]);
        assert_eq!(Axis::of_epochs(10).ticks.len(), 10);
        assert_eq!(Axis::of_epochs(12).ticks, [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(Axis::of_epochs(300).ticks, [50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
    }

    #[test]
    fn a_single_epoch_stands_in_the_middle() {
        assert_eq!(Axis::of_epochs(1).range, 0.0..2.0);
    }

    #[test]
    fn values_begin_at_zero_and_leave_room_above() {
        let axis = Axis::of_values(4.0);
        assert_eq!(axis.range, 0.0..4.2);
        assert_eq!(axis.ticks, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!(Axis::of_values(1e-3).range.end > 1e-3);
        assert!(Axis::of_values(1e9).ticks.len() <= 7);
        assert!(Axis::of_values(f64::MAX).range.end.is_finite());
    }

    #[test]
    fn a_span_is_labelled_within_its_ends() {
        let axis = Axis::of_span(1.93, 2.31);
        assert_eq!(axis.range, 1.93..2.31);
        let labels: Vec<String> = axis.ticks.iter().map(|tick| axis.format_ext(tick)).collect();
        assert_eq!(labels, ["2.0", "2.1", "2.2", "2.3"]);
        assert_eq!(Axis::of_span(2.0, 2.0).range, 1.5..2.5);
    }

    #[test]
    fn nothing_to_show_still_makes_an_axis() {
        assert_eq!(Axis::of_values(f64::NEG_INFINITY).range, 0.0..1.0);
        assert_eq!(Axis::of_fractions(f64::NEG_INFINITY).range, 0.0..0.1);
    }

    #[test]
    fn fractions_end_at_the_next_ten_per_cent_but_never_above_all() {
        assert_eq!(Axis::of_fractions(0.31).range, 0.0..0.4);
        assert_eq!(Axis::of_fractions(0.97).range, 0.0..1.0);
        assert_eq!(Axis::of_fractions(1.0).range, 0.0..1.0);
        assert_eq!(Axis::of_fractions(1.0).ticks.len(), 6);
    }

    #[test]
    fn powers_of_ten_are_labelled_where_they_are_whole() {
        let axis = Axis::of_powers_of_ten(-2.3, 1.0);
        assert_eq!(axis.range, -2.3..1.0);
        let labels: Vec<String> = axis.ticks.iter().map(|tick| axis.format_ext(tick)).collect();
        assert_eq!(labels, ["1e-2", "1e-1", "1e0", "1e1"]);
        assert_eq!(Axis::of_powers_of_ten(-3.0, -3.0).range, -4.0..-2.0);
    }

    #[test]
    fn labels_have_the_decimals_that_tell_neighbours_apart() {
        let labels = |axis: Axis| axis.ticks.iter().map(|tick| axis.format_ext(tick)).collect::<Vec<_>>();
        assert_eq!(labels(Axis::of_values(1.2)), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(Axis::of_values(0.004))[..3], ["0.000", "0.001", "0.002"]);
        assert_eq!(labels(Axis::of_values(40.0))[..3], ["0", "10", "20"]);
        assert_eq!(labels(Axis::of_fractions(0.35)), ["0%", "10%", "20%", "30%", "40%"]);
    }
}
