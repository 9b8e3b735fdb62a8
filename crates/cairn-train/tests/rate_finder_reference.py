"""Smoothed losses and the suggested rate of fastai's learning-rate finder, for the unit test in src/rate_finder.rs.

Ran with fastai 2.8.12 and torch 2.11:

    pip install fastai==2.8.12 torch==2.11.0
    python rate_finder_reference.py
"""
import math
from types import SimpleNamespace

import torch
from fastai.callback.schedule import SchedExp, steep
from fastai.learner import AvgSmoothLoss

BATCHES = 100
TRIED = 90


def loss(n):
    """A loss that trembles, falls around step 55, and explodes from step 80 on."""
    return 3.5 - 2 / (1 + math.exp((55 - n) / 4)) + 0.01 * (7 * n % 5) + 0.03 * max(0, n - 80) ** 2


ramp, average = SchedExp(1e-7, 10), AvgSmoothLoss()
average.val = average.val.double()
rates, smoothed = [], []
for n in range(TRIED):
    rates.append(ramp(n / BATCHES))
    average.accumulate(SimpleNamespace(loss=torch.tensor(loss(n), dtype=torch.float64)))
    smoothed.append(average.value.item())
# As `Learner.lr_find` cuts them.
cut = slice(BATCHES // 10, -5)
suggestion, _ = steep(torch.tensor(rates, dtype=torch.float64)[cut], torch.tensor(smoothed, dtype=torch.float64)[cut], BATCHES)
print("smoothed", {n: smoothed[n] for n in (0, 1, 30, 60, 89)})
print("rates", {n: rates[n] for n in (0, 50, 89)})
print("suggestion", suggestion)
