//! Scores that become logits: logistic regression with one variable.

/// One observation of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The score.
    pub score: f64,
    /// Other evidence for the event, as a logit that is added unchanged; 0 if there is none.
    pub known: f64,
    /// Whether the event came.
    pub positive: bool,
}

/// What makes a score a logit: `scale * score + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlattScale {
    /// Logits for a score of 1, above those for 0.
    pub scale: f64,
    /// The logit for a score of 0.
    pub offset: f64,
}

/// Steps at most; Newton's method takes about ten.
const STEPS: usize = 100;
/// The Hessian's diagonal is raised by this much, so that it can be inverted when all scores are equal.
const RIDGE: f64 = 1e-12;

/// The scale under which the events are most probable, their probability being the logistic function of
/// `scale * score + offset + known`; `None` unless there are events and non-events.
///
/// After Platt, "Probabilistic Outputs for Support Vector Machines" (1999): the targets are (N+ + 1) / (N+ + 2) and 1 /
/// (N- + 2) in the place of 1 and 0, so that scores that part the events from the others wholly have a finite scale,
/// too. By Newton's method with backtracking, as Lin, Lin and Weng, "A Note on Platt's Probabilistic Outputs for
/// Support Vector Machines" (Machine Learning 68, 2007).
pub fn platt_scaling(observations: &[Observation]) -> Option<PlattScale> {
    let positives = observations.iter().filter(|o| o.positive).count() as f64;
    let negatives = observations.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let problem =
        Problem { observations, high: (positives + 1.0) / (positives + 2.0), low: 1.0 / (negatives + 2.0) };
    let mut at = PlattScale { scale: 0.0, offset: (positives / negatives).ln() };
    let mut loss = problem.loss(at);
    for _ in 0..STEPS {
        let step = problem.newton_step(at);
        // Halved until the loss falls; where even the smallest step does not make it fall, this is the minimum.
        let lower = (0..40).map(|halvings| 0.5_f64.powi(halvings)).find_map(|part| {
            let there =
                PlattScale { scale: at.scale + part * step.scale, offset: at.offset + part * step.offset };
            let loss_there = problem.loss(there);
            (loss_there < loss).then_some((there, loss_there))
        });
        let Some((there, loss_there)) = lower else { break };
        (at, loss) = (there, loss_there);
    }
    Some(at)
}

struct Problem<'a> {
    observations: &'a [Observation],
    /// The target of an event.
    high: f64,
    /// The target of a non-event.
    low: f64,
}

impl Problem<'_> {
    fn target(&self, observation: &Observation) -> f64 {
        if observation.positive { self.high } else { self.low }
    }

    /// Cross-entropy, in nats.
    fn loss(&self, at: PlattScale) -> f64 {
        let of = |o: &Observation| {
            let logit = at.scale * o.score + at.offset + o.known;
            // ln(1 + e^logit), whose exponential must not overflow.
            logit.max(0.0) + (-logit.abs()).exp().ln_1p() - self.target(o) * logit
        };
        self.observations.iter().map(of).sum()
    }

    /// Minus the inverse Hessian times the gradient.
    fn newton_step(&self, at: PlattScale) -> PlattScale {
        let (mut g_scale, mut g_offset) = (0.0, 0.0);
        let (mut h_scale, mut h_both, mut h_offset) = (RIDGE, 0.0, RIDGE);
        for o in self.observations {
            let probability = 1.0 / (1.0 + (-(at.scale * o.score + at.offset + o.known)).exp());
            let error = probability - self.target(o);
            let weight = probability * (1.0 - probability);
            g_scale += error * o.score;
            g_offset += error;
            h_scale += weight * o.score * o.score;
            h_both += weight * o.score;
            h_offset += weight;
        }
        let determinant = h_scale * h_offset - h_both * h_both;
        PlattScale {
            scale: -(h_offset * g_scale - h_both * g_offset) / determinant,
            offset: -(h_scale * g_offset - h_both * g_scale) / determinant,
        }
    }
}
