"""Prints the expected values of tests/pool.rs. They were made with torch 2.11.0 on the CPU."""

import torch

nan, inf = float("nan"), float("inf")
MAP = [
    [1.0, 1.0, -2.0, nan, 0.5],
    [1.0, 3.0, nan, 4.0, -inf],
    [-1.0, inf, 2.0, 2.0, -inf],
    [-inf, -inf, 7.0, 7.0, -3.0],
    [-inf, -inf, 7.0, -7.0, -3.0],
]
x = torch.tensor(MAP).reshape(1, 1, 5, 5)
for window, stride, padding in [(2, 2, 0), (3, 2, 1)]:
    values, places = torch.nn.functional.max_pool2d(x, window, stride, padding, return_indices=True)
    print(window, stride, padding, values.flatten().tolist(), places.flatten().tolist())
