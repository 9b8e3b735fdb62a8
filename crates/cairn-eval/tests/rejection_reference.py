"""Writes rejection_reference.json: scores of landmarks and distractors, and what scikit-learn makes of them.

    python rejection_reference.py > rejection_reference.json

The values beside this script were made with Python 3.11.7, scikit-learn 1.9.1 and NumPy 2.4.6.

GAP is scikit-learn's average precision of "the answer is right", which divides by the number of right answers, times
the number of right answers over the number of photos that show a landmark, by which GAP divides.
"""

import json

import numpy as np
from sklearn import metrics

RECALL = 0.95


def case(name, seed, landmarks, distractors, distance, accuracy, decimals=9):
    """Scores are rounded to `decimals`, so that few of them make many equal scores."""
    random = np.random.default_rng(seed)
    scores = np.concatenate([random.normal(distance, 1, landmarks), random.normal(0, 1, distractors)])
    scores = np.round(scores, decimals)
    is_landmark = np.arange(landmarks + distractors) < landmarks
    is_right = is_landmark & (random.random(landmarks + distractors) < accuracy)
    false_positives, true_positives, _ = metrics.roc_curve(is_landmark, scores, drop_intermediate=False)
    precision = metrics.average_precision_score(is_right, scores)
    return {
        "name": name,
        "scores": scores.tolist(),
        "is_landmark": is_landmark.tolist(),
        "is_right": is_right.tolist(),
        "auroc": metrics.roc_auc_score(is_landmark, scores),
        "fpr95": false_positives[np.argmax(true_positives >= RECALL - 1e-12)],
        "gap": precision * is_right.sum() / landmarks,
    }


CASES = [
    case("told apart well", 1, 120, 40, 3.0, 0.9),
    case("told apart badly", 2, 90, 60, 0.5, 0.6),
    case("not told apart", 3, 50, 50, 0.0, 0.5),
    case("more distractors than landmarks", 4, 30, 150, 1.5, 0.8),
    case("many equal scores", 5, 100, 80, 1.0, 0.7, decimals=0),
    case("exactly 95 % of twenty", 6, 20, 30, 1.0, 1.0),
]

print(json.dumps(CASES, separators=(",", ":")))
