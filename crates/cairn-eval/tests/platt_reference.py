"""Writes platt_reference.json: observations, and the scale and offset that SciPy's minimiser finds for them.

    python platt_reference.py > platt_reference.json

The values beside this script were made with Python 3.11.7, SciPy 1.17.1 and NumPy 2.4.6.
"""

import json

import numpy as np
from scipy import optimize


def fitted(scores, known, positive):
    """Platt's maximum likelihood with his targets; `known` is added to every logit."""
    positives, negatives = positive.sum(), (~positive).sum()
    targets = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters):
        logits = parameters[0] * scores + parameters[1] + known
        return (np.logaddexp(0, logits) - targets * logits).sum()

    def gradient(parameters):
        errors = 1 / (1 + np.exp(-(parameters[0] * scores + parameters[1] + known))) - targets
        return np.array([(errors * scores).sum(), errors.sum()])

    found = optimize.minimize(loss, [0, 0], jac=gradient, method="BFGS", options={"gtol": 1e-10})
    return found.x


def case(name, seed, count, scale, offset, spread):
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, count)
    known = random.normal(0, spread, count)
    positive = random.random(count) < 1 / (1 + np.exp(-(scale * scores + offset + known)))
    found = fitted(scores, known, positive)
    return {
        "name": name,
        "score": scores.tolist(),
        "known": known.tolist(),
        "positive": positive.tolist(),
        "scale": found[0],
        "offset": found[1],
    }


def parted():
    scores = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    positive, known = scores > 0.5, np.zeros(6)
    found = fitted(scores, known, positive)
    names = ("name", "score", "known", "positive", "scale", "offset")
    values = ("parted wholly", scores.tolist(), known.tolist(), positive.tolist(), found[0], found[1])
    return dict(zip(names, values))


CASES = [
    case("nothing known beside the score", 1, 200, 6, -3, 0),
    case("something known beside the score", 2, 300, 8, -2, 2),
    case("events are rare", 3, 400, 5, -7, 1),
    parted(),
]

print(json.dumps(CASES, separators=(",", ":")))
