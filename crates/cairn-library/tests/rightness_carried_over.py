"""Fits the curve of `evidence/rightness.rs` to a model that knows the landmarks by which the one before was judged.

Run:  python3 crates/cairn-library/tests/rightness_carried_over.py THRESHOLD SURE VALID OLD_VALID OLD_THRESHOLD OLD_SURE \
          [VALID_WITHOUT_A_KIND THAT_KIND]...

The files are what `cairn predict --format jsonl` writes of validation photos of landmarks, by the model and by the one before; and, for
each kind of other photos, by the model calibrated without that kind, of the validation photos and of that kind. Two curves come of
it, and one between them:

1. The curve of the model before (-1.488, 0.105, 0.672, of `rightness_reference.py`), with its units stretched as the validation photos'
   scores are, from the median on: as if other landmarks were as hard to tell from known ones as they were.
2. A logistic regression of the validation photos against kinds that the calibration has not seen. A score of theirs counts as that
   score of the model which as many of the validation photos reach.
3. Half of the other photos are like those of 1, half like those of 2.

The constants are from the shipped model (thresholds 0.010073 and 0.161242; before 0.015377 and 0.144269): 566 and 352 validation photos,
`distractors/calibration` and `more/distractors/calibration`. Ran with Python 3.11, numpy 2.4, scipy 1.17.
"""

import json, os, sys

import numpy as np
import scipy.optimize

BEFORE = np.array([-1.488, 0.105, 0.672])
THRESHOLD, SURE, OLD_THRESHOLD, OLD_SURE = map(float, sys.argv[1:3] + sys.argv[5:7])


def photos(path):
    """Score, probability, and whether the class that is named is that of the folder."""
    rows = [json.loads(line) for line in open(path)]
    return [
        (row["landmark_score"], row["landmarks"][0]["probability"], row["landmarks"][0]["class"] == os.path.basename(os.path.dirname(row["photo"])))
        for row in rows
        if row.get("landmarks")
    ]


def columns(z):
    z = np.asarray(z, float)
    return np.stack([np.ones_like(z), z, np.maximum(z, 0) ** 2], 1)


valid, old = photos(sys.argv[3]), photos(sys.argv[4])
units = np.array([(score - THRESHOLD) / (SURE - THRESHOLD) for score, _, _ in valid])
old_units = np.array([(score - OLD_THRESHOLD) / (OLD_SURE - OLD_THRESHOLD) for score, _, _ in old])

share = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
before, now = np.quantile(old_units, share), np.quantile(units, share)
stretch = (before @ now) / (now @ now)
stretched = BEFORE * [1, stretch, stretch**2]
print("stretch:", round(stretch, 3), "curve:", stretched.round(3))

others = []
for without, kind in zip(sys.argv[7::2], sys.argv[8::2]):
    reached = np.sort([score for score, _, _ in photos(without)])
    for score, probability, _ in photos(kind):
        below = np.searchsorted(reached, score) / len(reached)
        others.append((np.quantile(units, max(below, 0.002)) - (below <= 0.002), probability))

likely = [(z, right) for z, (_, probability, right) in zip(units, valid) if probability > 0.5]
unlikely = [z for z, probability in others if probability > 0.5]
inputs = columns([z for z, _ in likely] + unlikely)
right = np.array([right for _, right in likely] + [False] * len(unlikely), float)
weights = np.array([0.5 / len(valid)] * len(likely) + [0.5 / len(others)] * len(unlikely))


def loss(curve):
    odds = inputs @ curve
    return (weights * (np.logaddexp(0, odds) - right * odds)).sum() + 1e-3 * (curve[1:] ** 2).sum()


unseen = scipy.optimize.minimize(loss, np.zeros(3)).x
print("kinds not seen:", unseen.round(3))

z = np.linspace(-1, 3, 81)
ratios = [np.clip(columns(z) @ curve, -9, 7) for curve in (stretched, unseen)]
mixed = -np.log((np.exp(-ratios[0]) + np.exp(-ratios[1])) / 2)
kept = mixed < 7
print("intercept, slope, curvature:", np.linalg.lstsq(columns(z[kept]), mixed[kept], rcond=None)[0].round(3))
