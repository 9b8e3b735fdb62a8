//! How well a classifier did: metrics from one accumulated confusion matrix and score list, the curves of a
//! training run, and the report that people show around.
//!
//! The way through this crate: [`Scores`] collects the network's output for every photo of a test set,
//! [`Scores::fit_temperature`] learns from validation photos how far its confidence is to be believed,
//! [`Scores::evaluate`] turns it into an [`Evaluation`], which prints as a table, serialises to JSON, and
//! goes into [`write_report`] together with the [`Curves`] of the run that trained the model.

mod calibration;
mod classification;
mod confusion;
mod curves;
mod error;
mod evaluation;
mod label_noise;
mod operating_point;
mod picture;
mod platt;
mod prediction;
mod rejection;
mod report;
mod row_summary;
mod scores;
mod table;
mod temperature;
mod whole_file;

pub use calibration::{Confidence, Reliability, ReliabilityBin};
pub use classification::{ClassReport, class_reports, macro_f1};
pub use confusion::{ConfusedPair, ConfusionMatrix};
pub use curves::Curves;
pub use error::EvalError;
pub use evaluation::{Evaluation, accuracy_headline};
pub use label_noise::{LabelIssue, label_issues, odd_ones};
pub use operating_point::{
    FALSE_LANDMARKS, FEWEST_DISTRACTORS, OperatingPoint, threshold_at_false_landmarks,
};
pub use picture::{RateCurve, RunCurves, check_chart_name, write_run_curves};
pub use platt::{Observation, PlattScale, platt_scaling};
pub use prediction::Prediction;
pub use rejection::{
    Answer, RECALL, RejectionMetrics, Shows, auroc, false_positive_rate, global_average_precision,
    threshold_at_recall,
};
pub use report::{
    Doubt, DoubtfulPhoto, Exhibit, LabelPage, ReportInputs, TrainingFacts, report_files, surest_hits,
    worst_mistakes, write_report,
};
pub use scores::Scores;
