//! Lower precision trains as well.

use cairn_nets::Precision;
use cairn_reference::{Need, skip};

use crate::tiny::{TinySet, recipe};

const SEEDS: [u64; 4] = [0, 1, 2, 3];
const EPOCHS: usize = 8;

#[test]
fn in_bf16_the_loss_follows_that_of_f32_within_the_spread_of_seeds() {
    if !Precision::Bf16.is_offered() {
        skip(Need::Bf16, "this machine does not compute in bf16");
        return;
    }
    let set = TinySet::new();
    // The training loss of each epoch, seed by seed.
    let curves = |precision: Precision| {
        SEEDS.map(|seed| {
            let recipe = recipe(|r| {
                r.training.precision = Some(precision);
                r.training.seed = seed;
                r.training.epochs = EPOCHS;
            });
            let (_, outcome) = set.train_anew(&recipe, &format!("{precision:?}-{seed}"));
            let history = outcome.unwrap().history;
            history.epochs().iter().map(|epoch| epoch.train_loss).collect::<Vec<f64>>()
        })
    };
    let [f32, bf16] = [Precision::F32, Precision::Bf16].map(curves);
    assert_ne!(f32, bf16, "both ran in the same precision");
    let at = |curves: &[Vec<f64>; SEEDS.len()], epoch: usize| curves.each_ref().map(|curve| curve[epoch]);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let range = |losses: &[f64]| {
        let [most, least] = [f64::max, f64::min].map(|of| losses.iter().copied().reduce(of).unwrap());
        most - least
    };
    // Of four seeds alone, one epoch's range is by chance now wide, now narrow.
    let spread = (0..EPOCHS).map(|epoch| range(&at(&f32, epoch))).sum::<f64>() / EPOCHS as f64;
    for epoch in 0..EPOCHS {
        let [exact, rounded] = [&f32, &bf16].map(|curves| at(curves, epoch));
        let apart = (mean(&exact) - mean(&rounded)).abs();
        println!("epoch {}: means {apart:.4} apart, seeds {spread:.4}", epoch + 1);
        assert!(apart < spread, "epoch {}: {exact:?} in f32, {rounded:?} in bf16", epoch + 1);
    }
}
