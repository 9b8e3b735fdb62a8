//! Tools around the training engine: sweeps, the learning-rate finder, benchmarks and calibration.

pub(crate) mod answer;
pub(crate) mod bench;
pub(crate) mod calibrate;
pub(crate) mod int8;
pub(crate) mod label_check;
pub(crate) mod model_test;
pub(crate) mod rate_finder;
pub(crate) mod sweep;
