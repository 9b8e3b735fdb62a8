"""What cleanlab finds in labels that are wrong by chance, for the test beside this file.

    python3 label_noise_reference.py > label_noise.json

Made with cleanlab 2.9.0 and NumPy. Probabilities are rounded to six decimals before cleanlab sees them, so that the test
reads the same numbers.
"""
import json

import numpy as np
from cleanlab.filter import find_label_issues


def case(seed, photos, classes, wrong, sharpness):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.choice(classes, photos - classes, p=rng.dirichlet(np.ones(classes) * 3))])
    labels = truth.copy()
    flipped = rng.random(photos) < wrong
    flipped[:classes] = False
    labels[flipped] = rng.integers(0, classes, flipped.sum())
    logits = rng.normal(size=(photos, classes))
    logits[np.arange(photos), truth] += sharpness
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = probabilities.round(6)
    issues = find_label_issues(
        labels,
        probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        min_examples_per_class=0,
    )
    return {"labels": labels.tolist(), "probabilities": probabilities.tolist(), "issues": [int(i) for i in issues]}


cases = [case(1, 120, 3, 0.15, 2.5), case(2, 200, 7, 0.1, 3.0), case(3, 90, 5, 0.3, 1.5), case(4, 150, 2, 0.05, 1.0)]
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
