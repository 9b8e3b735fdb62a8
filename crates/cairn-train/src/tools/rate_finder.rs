//! The learning-rate finder: a short training with a growing rate, which suggests the rate at which the loss falls fastest
//! (Smith 2017, <https://arxiv.org/abs/1506.01186>), as fastai's `Learner.lr_find` does it
//! (<https://github.com/fastai/fastai/blob/main/nbs/14_callback.schedule.ipynb>).

use burn::tensor::Device;
use cairn_dataset::{BadPhoto, CacheMode, ImageFolder};
use cairn_eval::RateCurve;
use cairn_nets::StateDict;
use serde::Serialize;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::first_weights::given_or_named;
use crate::engine::job::Interrupt;
use crate::engine::learner::Learner;
use crate::engine::loaders::Loaders;
use crate::engine::memory::check_fits;
use crate::engine::replicas::Replicas;
use crate::recipe::Recipe;

/// The ramp of learning rates that is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRamp {
    /// The first rate.
    pub lowest: f64,
    /// The last rate, unless the loss explodes before.
    pub highest: f64,
    /// Steps from one to the other.
    pub batches: usize,
}

impl Default for RateRamp {
    /// fastai's: from 1e-7 to 10 in 100 steps.
    fn default() -> Self {
        Self { lowest: 1e-7, highest: 10.0, batches: 100 }
    }
}

/// What learning rates are tried on: a recipe, data and devices.
#[derive(Debug, Clone, Copy)]
pub struct RateTrial<'a> {
    /// The recipe, resolved by [`Recipe::resolved`]. Its learning rate and schedule are ignored.
    pub recipe: &'a Recipe,
    /// First weights in place of those that the recipe names.
    pub weights: Option<&'a StateDict>,
    /// The data set.
    pub data: &'a ImageFolder,
    /// Where decoded photos are cached.
    pub cache: CacheMode,
    /// At least one device, as in a [`Training`](crate::Training).
    pub devices: &'a [Device],
    /// Ends the ramp early, with the steps so far.
    pub interrupt: &'a Interrupt,
}

/// A step at one learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TriedRate {
    /// The rate of this step.
    pub learning_rate: f64,
    /// Mean loss over the step's batch, before the step, in nats.
    pub loss: f64,
    /// Exponential moving average of the losses so far, without its bias towards 0.
    pub smoothed_loss: f64,
}

/// The result of a ramp.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RateSearch {
    /// The rate at which the smoothed loss fell fastest; `None` if it did not clearly fall or too few rates were tried.
    pub suggestion: Option<f64>,
    /// Whether the loss exploded before the ramp's end.
    pub exploded: bool,
    /// The steps, the lowest rate first.
    pub tried: Vec<TriedRate>,
}

/// Decay of the moving average; fastai's.
const SMOOTHING: f64 = 0.98;
/// The loss has exploded when the smoothed loss is this many times its lowest value; fastai's.
const EXPLODED: f64 = 4.0;
/// Share of the loss's whole fall that is done where the fall has begun.
const BEGUN: f64 = 0.1;
/// A fall of fewer standard deviations of the average is none.
const CLEAR: f64 = 2.0;
/// Last steps that the suggestion ignores, because the loss already rises; fastai's.
const LEFT_OUT_AT_END: usize = 5;

impl RateRamp {
    /// Trains at the rates of this ramp instead of the recipe's, and drops the weights. `on_batch` is called with each step,
    /// `on_bad` with each photo that cannot be read.
    ///
    /// # Errors
    /// When the ramp is not valid, the recipe does not suit the photos, or memory does not suffice.
    ///
    /// # Panics
    /// If there is no device.
    pub fn search(
        self,
        trial: &RateTrial<'_>,
        mut on_batch: impl FnMut(&TriedRate),
        mut on_bad: impl FnMut(&BadPhoto),
    ) -> Result<RateSearch, TrainError> {
        let RateTrial { recipe, weights, data, cache, devices, interrupt } = *trial;
        self.validate()?;
        recipe.validate()?;
        let loaders = Loaders::new(recipe, data, cache)?;
        let replicas = Replicas::open(recipe, data, &loaders.preprocess.normalisation, devices)?;
        let first = &devices[0];
        let weights = given_or_named(weights, &recipe.network)?;
        let learner = Learner::begin(recipe, data.classes.len(), weights.as_deref(), first, &mut ())?;
        let mut learner = learner.in_epoch(0);
        let side = recipe.network_spec(2).side;
        let with_head = recipe.training.sampled_classes.is_none();
        check_fits(&learner.network, recipe.training.batch, side, recipe.precision(), with_head, first)?;
        replicas.seed(recipe.training.seed);

        let mut search = Trail::default();
        let mut epoch = 0;
        let mut batches = loaders.train.epoch(epoch, 0);
        while search.tried.len() < self.batches && !search.exploded && !interrupt.requested() {
            let Some(batch) = batches.next() else {
                if search.tried.is_empty() {
                    let first = search.first_bad.unwrap_or_default();
                    return Err(TrainError::NothingReadable { photos: data.train.len(), first });
                }
                epoch += 1;
                batches = loaders.train.epoch(epoch, 0);
                continue;
            };
            for bad in batch.bad.iter().filter(|_| epoch == 0) {
                search.first_bad.get_or_insert_with(|| bad.message());
                on_bad(bad);
            }
            if batch.is_empty() {
                continue;
            }
            let learning_rate = self.rate(search.tried.len());
            let mut accumulator = GradientAccumulator::default();
            let outcome = replicas.backward(&learner.network, &batch, batch.number as u64, &mut accumulator);
            if let Some(gradients) = accumulator.take(&learner.network, None) {
                learner = learner.stepped(learning_rate, gradients);
            }
            if let Some(tried) = search.note(learning_rate, outcome.loss) {
                on_batch(&tried);
            }
        }
        let suggestion = steepest_descent(&search.tried, self.batches);
        Ok(RateSearch { suggestion, exploded: search.exploded, tried: search.tried })
    }

    /// The rate of the `n`-th step, counted from 0: equal ratios from step to step.
    fn rate(&self, n: usize) -> f64 {
        self.lowest * (self.highest / self.lowest).powf(n as f64 / self.batches as f64)
    }

    fn validate(&self) -> Result<(), TrainError> {
        let Self { lowest, highest, batches } = *self;
        if lowest > 0.0 && lowest < highest && highest.is_finite() && batches > 0 {
            return Ok(());
        }
        Err(TrainError::RateRamp { lowest, highest, batches })
    }
}

/// The steps so far.
#[derive(Debug, Default)]
struct Trail {
    tried: Vec<TriedRate>,
    /// The moving average with its bias.
    average: f64,
    lowest: Option<f64>,
    exploded: bool,
    first_bad: Option<String>,
}

impl Trail {
    /// Adds the loss of a step. A loss that is not finite ends the ramp and is not added.
    fn note(&mut self, learning_rate: f64, loss: f64) -> Option<TriedRate> {
        if !loss.is_finite() {
            self.exploded = true;
            return None;
        }
        self.average = SMOOTHING * self.average + (1.0 - SMOOTHING) * loss;
        let steps = self.tried.len() as i32 + 1;
        let smoothed_loss = self.average / (1.0 - SMOOTHING.powi(steps));
        let tried = TriedRate { learning_rate, loss, smoothed_loss };
        self.tried.push(tried);
        let lowest = self.lowest.map_or(smoothed_loss, |lowest| lowest.min(smoothed_loss));
        self.lowest = Some(lowest);
        self.exploded = smoothed_loss > EXPLODED * lowest;
        Some(tried)
    }
}

/// The rate at which the smoothed loss fell fastest over the logarithm of the rate: fastai's `steep`. The first tenth of the
/// ramp's `batches`, where the average has hardly settled, and the last few steps are not looked at.
///
/// With few photos in a batch the average trembles over the flat beginning as fast as it falls later, at rates that teach
/// nothing. So rates count only from where [`BEGUN`] of the whole fall is done, and there is no suggestion where the whole
/// fall is less than [`CLEAR`] standard deviations of the average that it begins at: of losses that only tremble, one ramp in
/// twenty falls by as much.
fn steepest_descent(tried: &[TriedRate], batches: usize) -> Option<f64> {
    let end = tried.len().saturating_sub(LEFT_OUT_AT_END);
    let looked_at = tried.get(batches / 10..end)?;
    let first = looked_at.first()?.smoothed_loss;
    // What falls after the lowest loss has risen before: the training no longer learns there.
    let by_loss = |a: &&TriedRate, b: &&TriedRate| a.smoothed_loss.total_cmp(&b.smoothed_loss);
    let end = looked_at.iter().enumerate().min_by(|a, b| by_loss(&a.1, &b.1))?.0;
    let looked_at = &looked_at[..=end];
    let lowest = looked_at[end].smoothed_loss;
    if first - lowest <= CLEAR * trembling(tried) * deviation_of_average(batches / 10 + 1) {
        return None;
    }
    let begun = first - BEGUN * (first - lowest);
    let falling = looked_at.windows(2).skip_while(|pair| pair[1].smoothed_loss > begun);
    let slopes = falling.map(|pair| {
        let rise = pair[1].smoothed_loss - pair[0].smoothed_loss;
        (rise / (pair[1].learning_rate / pair[0].learning_rate).ln(), pair[0].learning_rate)
    });
    let (slope, rate) = slopes.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (slope < 0.0).then_some(rate)
}

/// The standard deviation of a batch's loss about its course, in nats: from the median difference of neighbours, which
/// neither a fall nor an explosion changes. (The differences of normal numbers have a median of 0.6745 times the square root
/// of 2 of their deviation.)
fn trembling(tried: &[TriedRate]) -> f64 {
    let mut differences: Vec<f64> =
        tried.windows(2).map(|pair| (pair[1].loss - pair[0].loss).abs()).collect();
    differences.sort_by(f64::total_cmp);
    differences.get(differences.len() / 2).map_or(0.0, |median| median / (0.6745 * std::f64::consts::SQRT_2))
}

/// The standard deviation of the moving average over so many losses, in parts of that of one loss.
fn deviation_of_average(losses: usize) -> f64 {
    let weight = SMOOTHING.powi(losses as i32);
    ((1.0 - SMOOTHING) / (1.0 + SMOOTHING) * (1.0 + weight) / (1.0 - weight)).sqrt()
}

impl RateSearch {
    /// The smoothed losses over the rates.
    pub fn curve(&self) -> RateCurve {
        RateCurve {
            rates: self.tried.iter().map(|tried| tried.learning_rate).collect(),
            losses: self.tried.iter().map(|tried| tried.smoothed_loss).collect(),
            suggestion: self.suggestion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAMP: RateRamp = RateRamp { lowest: 1e-7, highest: 10.0, batches: 100 };

    /// The loss of `tests/rate_finder_reference.py`: it trembles, falls around step 55, and explodes from step 80 on.
    fn loss(n: usize) -> f64 {
        let fall = 2.0 / (1.0 + ((55.0 - n as f64) / 4.0).exp());
        3.5 - fall + 0.01 * (7 * n % 5) as f64 + 0.03 * (n.saturating_sub(80) as f64).powi(2)
    }

    fn trail(losses: impl Iterator<Item = f64>) -> Trail {
        let mut trail = Trail::default();
        for (n, loss) in losses.enumerate() {
            trail.note(RAMP.rate(n), loss);
        }
        trail
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-5, "{found}, expected {expected}");
    }

    #[test]
    fn rates_smoothing_and_suggestion_are_fastais() {
        // tests/rate_finder_reference.py.
        let tried = trail((0..90).map(loss)).tried;
        for (n, rate) in [(0, 1e-7), (50, 1e-3), (89, 1.318_256_738_556_407_2)] {
            assert_close(tried[n].learning_rate, rate);
        }
        for (n, smoothed) in [
            (0, 3.499_997_864_594_259_8),
            (1, 3.510_098_568_377_754),
            (30, 3.518_632_194_072_701_2),
            (60, 3.193_972_933_168_873),
            (89, 2.531_309_400_528_497_3),
        ] {
            assert_close(tried[n].smoothed_loss, smoothed);
        }
        assert_close(steepest_descent(&tried, 100).unwrap(), 0.013_182_567_385_564_075);
    }

    #[test]
    fn a_loss_that_falls_nowhere_suggests_nothing() {
        let rising = trail((0..50).map(|n| 1.0 + n as f64));
        assert_eq!(steepest_descent(&rising.tried, 100), None);
        assert_eq!(steepest_descent(&trail((0..12).map(loss)).tried, 100), None, "too few rates");
    }

    /// Numbers between -1 and 1 that look like chance.
    fn noise(n: usize) -> f64 {
        (n as f64 * 12.9898).sin() * 43758.547 % 1.0
    }

    #[test]
    fn trembling_over_the_flat_beginning_is_no_fall() {
        let small_set = trail((0..90).map(|n| loss(n).min(3.6) + 0.8 * noise(n)));
        let suggested = steepest_descent(&small_set.tried, 100).unwrap();
        assert!((1e-3..1.0).contains(&suggested), "{suggested:e}");
        // The steepest step of all is at a rate that changes nothing.
        let slope = |pair: &[TriedRate]| pair[1].smoothed_loss - pair[0].smoothed_loss;
        let steepest =
            small_set.tried[10..85].windows(2).min_by(|a, b| slope(a).total_cmp(&slope(b))).unwrap();
        assert!(steepest[0].learning_rate < 1e-5, "{steepest:?}");
        // Where a training has exploded, the average falls as steeply again.
        let wild = trail((0..90).map(|n| loss(n) + if (74..80).contains(&n) { 20.0 } else { 0.0 }));
        let suggested = steepest_descent(&wild.tried, 100).unwrap();
        assert!((1e-3..RAMP.rate(74)).contains(&suggested), "{suggested:e}");
        let flat = trail((0..90).map(|n| 3.5 + 0.8 * noise(n + 1000)));
        assert_eq!(steepest_descent(&flat.tried, 100), None);
    }

    #[test]
    fn an_average_deviates_as_that_of_independent_losses_does() {
        assert!((deviation_of_average(1) - 1.0).abs() < 1e-12);
        // Two losses have nearly equal weights; of very many, the last fifty count.
        assert!((deviation_of_average(2) - 0.5_f64.sqrt()).abs() < 1e-4);
        assert!((deviation_of_average(10_000) - (0.02_f64 / 1.98).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn four_times_the_lowest_smoothed_loss_is_an_explosion_and_so_is_no_number() {
        assert!(!trail([1.0, 1.0, 9.0].into_iter()).exploded, "their mean is below 4");
        assert!(trail([1.0, 1.0, 11.0].into_iter()).exploded);
        let trail = trail([1.0, f64::NAN].into_iter());
        assert!(trail.exploded);
        assert_eq!(trail.tried.len(), 1);
    }

    #[test]
    fn a_ramp_that_is_none_is_refused() {
        for ramp in [
            RateRamp { lowest: 0.0, ..RAMP },
            RateRamp { highest: 1e-7, ..RAMP },
            RateRamp { highest: f64::NAN, ..RAMP },
            RateRamp { batches: 0, ..RAMP },
        ] {
            assert!(ramp.validate().is_err(), "{ramp:?}");
        }
    }
}
