"""Writes metrics_reference.json: score lists, and what scikit-learn and SciPy make of them.

    python metrics_reference.py > metrics_reference.json

The values beside this script were made with Python 3.11.7, scikit-learn 1.9.1, SciPy 1.17.1 and
NumPy 2.4.6.
scikit-learn has no expected calibration error; it is computed here in float64 from its definition
(Guo et al., "On Calibration of Modern Neural Networks", 2017, equations 2 and 3, 15 bins).
"""

import json
import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn import metrics

BINS = 15


def case(name, seed, photos, classes, sharpness, present=None, never=()):
    """`photos` logit rows over `classes` classes. Only the classes in `present` have photos; those in `never` are
    never predicted. Logits are rounded to 1/1024, so that they are the same number in text, float32 and float64."""
    random = np.random.default_rng(seed)
    truth = random.choice(present if present is not None else classes, photos)
    logits = random.normal(size=(photos, classes))
    logits[np.arange(photos), truth] += sharpness
    logits[:, list(never)] -= 20
    logits = np.round(logits * 1024) / 1024
    return {"name": name, "classes": classes, "truth": truth.tolist(), "logits": logits.tolist()} | {
        "expected": expected(truth, logits)
    }


def expected(truth, logits):
    labels = np.arange(logits.shape[1])
    predicted = logits.argmax(axis=1)
    probabilities = softmax(logits)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    return {
        "loss": metrics.log_loss(truth, probabilities, labels=labels),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "top3": top3(truth, logits, labels),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "ece": expected_calibration_error(probabilities.max(axis=1), predicted == truth),
        "correct": int((predicted == truth).sum()),
        "total": len(truth),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
    } | calibrated(truth, logits, labels)


def calibrated(truth, logits, labels):
    """The temperature of the greatest likelihood, and what the model is then said to be."""

    def loss(log_temperature):
        return metrics.log_loss(truth, softmax(logits / np.exp(log_temperature)), labels=labels)

    # The precision of a minimum's place is the root of that of its value.
    fitted = minimize_scalar(loss, bounds=np.log([0.25, 16]), method="bounded", options={"xatol": 1e-10})
    temperature = np.exp(fitted.x)
    probabilities = softmax(logits / temperature)
    right = probabilities.argmax(axis=1) == truth
    return {
        "temperature": temperature,
        "calibrated_loss": fitted.fun,
        "calibrated_ece": expected_calibration_error(probabilities.max(axis=1), right),
    }


def top3(truth, logits, labels):
    if len(labels) == 2:
        return 1.0  # scikit-learn wants one score a photo here; three guesses at two classes are always right.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", metrics._ranking.UndefinedMetricWarning)  # three guesses at three classes
        return metrics.top_k_accuracy_score(truth, logits, k=3, labels=labels)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def expected_calibration_error(confidence, correct):
    error = 0.0
    for bin in range(BINS):
        inside = (confidence > bin / BINS) & (confidence <= (bin + 1) / BINS)
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return error


CASES = [
    case("a middling classifier of ten classes", 1, 100, 10, 1.5),
    case("a good classifier of five classes", 2, 80, 5, 4.0),
    case("a guesser", 3, 60, 6, 0.0),
    case("a class without photos that is predicted", 4, 80, 5, 1.0, present=[0, 1, 3, 4]),
    case("a class without photos that is never predicted", 5, 80, 5, 1.0, present=[0, 1, 3, 4], never=[2]),
    case("a class with photos that is never predicted", 6, 80, 5, 1.0, never=[2]),
    case("two classes", 7, 40, 2, 0.5),
    case("three classes", 8, 40, 3, 0.5),
]

print(json.dumps(CASES, separators=(",", ":")))
