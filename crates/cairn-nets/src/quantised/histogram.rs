//! How often a map has which values, and the range of levels that suits them best.

use cairn_kernels::int8::Quantisation;

/// Bins: some thirty for each of 256 levels.
const BINS: usize = 1 << 13;

/// Values counted in bins from `-reach` to `reach`, which doubles whenever a value is beyond it.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    reach: f32,
    bins: Vec<u64>,
    low: f32,
    high: f32,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { reach: f32::MIN_POSITIVE, bins: vec![0; BINS], low: 0.0, high: 0.0 }
    }

    /// Counts values; what is not finite is left out.
    pub(super) fn add(&mut self, values: &[f32]) {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite().fold((self.low, self.high), |(low, high), v| (v.min(low), v.max(high)));
        (self.low, self.high) = (low, high);
        self.widen(high.max(-low));
        let (middle, per_bin) = ((BINS / 2) as f32, (BINS / 2) as f32 / self.reach);
        for value in finite() {
            // The greatest of all is on the edge of the last bin.
            self.bins[((value * per_bin + middle) as usize).min(BINS - 1)] += 1;
        }
    }

    /// Doubles the reach until it holds `greatest`: two bins become one, towards the middle.
    fn widen(&mut self, greatest: f32) {
        if self.bins.iter().all(|&count| count == 0) && greatest > self.reach {
            self.reach = greatest;
        }
        while self.reach < greatest {
            self.reach *= 2.0;
            let mut wider = vec![0; BINS];
            for (bin, count) in self.bins.iter().enumerate() {
                wider[BINS / 4 + bin / 2] += count;
            }
            self.bins = wider;
        }
    }

    /// The levels whose mean squared error is least: the whole range, or one that clips the rarest values so that all others
    /// have finer steps.
    pub(super) fn best_levels(&self) -> Quantisation {
        /// Shares of each end that are tried, in hundredths.
        const SHARES: std::ops::RangeInclusive<u16> = 20..=100;
        let width = 2.0 * self.reach / BINS as f32;
        let counted = self.bins.iter().enumerate().filter(|(_, count)| **count > 0);
        let counted: Vec<(f32, f64)> =
            counted.map(|(bin, &count)| ((bin as f32 + 0.5) * width - self.reach, count as f64)).collect();
        let error = |quantisation: Quantisation| -> f64 {
            let square =
                |value: f32| f64::from(value - quantisation.value(quantisation.level(value))).powi(2);
            counted.iter().map(|&(value, count)| count * square(value)).sum()
        };
        // Of equals the widest; each end by itself, and once more, since the better one of them moves the other.
        let mut ends = [self.low, self.high];
        for end in [1, 0, 1, 0] {
            let whole = [self.low, self.high][end];
            let candidates = SHARES.rev().map(|share| {
                let mut ends = ends;
                ends[end] = whole * f32::from(share) / 100.0;
                (error(Quantisation::of_range(ends[0], ends[1])), ends)
            });
            let best = candidates.reduce(|best, next| if next.0 < best.0 { next } else { best });
            ends = best.map_or(ends, |(_, ends)| ends);
        }
        Quantisation::of_range(ends[0], ends[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_spread_keeps_its_whole_range() {
        let mut histogram = Histogram::new();
        // In two parts, the second beyond the first's reach.
        let even = |count: usize, most: f32| (0..count).map(move |i| most * i as f32 / count as f32);
        histogram.add(&even(1000, 0.5).collect::<Vec<_>>());
        histogram.add(&even(50_000, 6.0).collect::<Vec<_>>());
        let Quantisation { scale, zero_point } = histogram.best_levels();
        assert!((scale - 6.0 / 255.0).abs() < 1e-3 && zero_point == 0, "{scale} {zero_point}");
    }

    #[test]
    fn an_outlier_is_clipped_for_the_sake_of_all_others() {
        let mut histogram = Histogram::new();
        let values: Vec<f32> = (0..1_000_000).map(|i| (i % 201) as f32 / 100.0 - 1.0).chain([3.0]).collect();
        histogram.add(&values);
        let found = histogram.best_levels();
        let (lowest, highest) = (found.value(0), found.value(255));
        assert!((0.97..1.7).contains(&highest) && (-1.1..-0.95).contains(&lowest), "{lowest} to {highest}");
        assert_eq!(found.value(found.zero_point), 0.0);
    }

    #[test]
    fn zeros_alone_and_nothing_have_levels() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.best_levels().value(0), 0.0);
        histogram.add(&[0.0, 0.0, f32::NAN, f32::INFINITY]);
        assert_eq!(histogram.best_levels().value(0), 0.0);
    }
}
