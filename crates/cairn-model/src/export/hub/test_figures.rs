//! What a test said of a model.

/// What a test said of a model, for its card.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFigures {
    /// What the data set is called.
    pub data: String,
    /// Number of photos tested.
    pub photos: usize,
    /// Share of photos whose likeliest class is the true one, in `[0, 1]`.
    pub accuracy: f64,
    /// Share of photos whose true class is among the three likeliest, in `[0, 1]`.
    pub top3: f64,
    /// Mean F1 over the classes, in `[0, 1]`.
    pub macro_f1: f64,
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Expected calibration error, in `[0, 1]`.
    pub ece: f64,
}
