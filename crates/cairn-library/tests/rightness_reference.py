"""Fits a curve such as that of `evidence/rightness.rs`, and tests the factor of agreement in `evidence/assess.rs`.

Run:  python3 crates/cairn-library/tests/rightness_reference.py THRESHOLD SURE VALID.jsonl OTHERS.jsonl TRIPS.jsonl

Each file is what `cairn predict --format jsonl` writes: of the validation photos of landmarks (a tenth of `landmarks/train`, as
`cairn train` holds them back), of photos that show none of them, and of photos of other buildings, a folder each. THRESHOLD and SURE
are the model's two thresholds (`cairn nets show`, or the lowest scores with `is_landmark` and `sure`).

The constants of the model before the one that ships came from it (thresholds 0.015377 and 0.144269): 352 validation photos; `distractors/calibration`,
`more/distractors/calibration` and classes 32 to 55 of `more/train`, 1,326 photos; the last, 1,206 photos, are the trips. Ran with Python
3.11, numpy 2.4, scipy 1.17.
"""

import collections, json, os, random, sys

import numpy as np
import scipy.optimize

THRESHOLD, SURE = float(sys.argv[1]), float(sys.argv[2])


def photos(path):
    """Score, probability, class that is named and class folder of each photo that could be read."""
    found = []
    for line in open(path):
        row = json.loads(line)
        if row.get("landmarks"):
            best = row["landmarks"][0]
            found.append((row["landmark_score"], best["probability"], best["class"], os.path.basename(os.path.dirname(row["photo"]))))
    return found


def units(score):
    return (score - THRESHOLD) / (SURE - THRESHOLD)


def columns(scores):
    z = units(np.array(scores))
    return np.stack([np.ones_like(z), z, np.maximum(z, 0) ** 2], 1)


valid, others, trips = (photos(path) for path in sys.argv[3:6])
likely = [photo for photo in valid if photo[1] > 0.5], [photo for photo in others if photo[1] > 0.5]
inputs = columns([photo[0] for photo in likely[0] + likely[1]])
right = np.array([photo[2] == photo[3] for photo in likely[0]] + [False] * len(likely[1]), float)
# Each kind of photo counts as much as the other, those that are named with 50 % and less too: the curve is a likelihood ratio.
weights = np.array([0.5 / len(valid)] * len(likely[0]) + [0.5 / len(others)] * len(likely[1]))


def loss(curve):
    odds = inputs @ curve
    return (weights * (np.logaddexp(0, odds) - right * odds)).sum() + 1e-6 * (curve[1:] ** 2).sum()


curve = scipy.optimize.minimize(loss, np.zeros(3)).x
print("intercept, slope, curvature:", curve.round(3))


def ratio(score):
    return float(min((columns([score]) @ curve)[0], 7.0))


print("log ratio | share of landmarks named rightly | share of others | e to this")
for bound in range(8):
    of_valid = sum(ratio(p[0]) >= bound and p[2] == p[3] for p in likely[0]) / len(valid)
    of_others = sum(ratio(p[0]) >= bound for p in likely[1]) / len(others)
    print(f"{bound} | {of_valid:.3f} | {of_others:.5f} | {np.exp(bound):.0f}")


def with_trips(rows, size, is_known):
    """Log ratio with half of that of the two surest that agree, and whether the name is right, of each photo of many trips."""
    chance, found = random.Random(0), []
    by_class = collections.defaultdict(list)
    for row in rows:
        by_class[row[3]].append(row)
    for of_class in by_class.values():
        for _ in range(10):
            chance.shuffle(of_class)
            for start in range(0, len(of_class) - size + 1, size):
                trip = of_class[start : start + size]
                for photo in trip:
                    agree = [other for other in trip if other is not photo and other[1] > 0.5 and other[2] == photo[2] and other[0] >= THRESHOLD]
                    surest = sorted((max(0, ratio(other[0])) for other in agree), reverse=True)[:2]
                    bonus = min(0.5 * sum(surest), 6)
                    value = ratio(photo[0]) + bonus if photo[1] > 0.5 else -9
                    found.append((value, is_known and photo[2] == photo[3]))
    return np.array(found, float)


print("photos a trip | log odds | share of landmarks named rightly | share of others | their ratio | e to this")
for size in [2, 3, 4, 5, 8, 12]:
    known, other = with_trips(valid, size, True), with_trips(trips, size, False)
    for bound in [3, 4, 5, 6, 7]:
        share = ((known[:, 0] >= bound) & (known[:, 1] == 1)).mean()
        wrong = (other[:, 0] >= bound).mean()
        print(f"{size} | {bound} | {share:.3f} | {wrong:.5f} | {share / wrong if wrong else float('inf'):.0f} | {np.exp(bound):.0f}")
