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
for window, stride, padding, ceil in [(2, 2, 0, False), (3, 2, 1, False), (2, 2, 0, True), (2, 3, 1, True)]:
    values, places = torch.nn.functional.max_pool2d(x, window, stride, padding, ceil_mode=ceil, return_indices=True)
    print(window, stride, padding, ceil, values.flatten().tolist(), places.flatten().tolist())
