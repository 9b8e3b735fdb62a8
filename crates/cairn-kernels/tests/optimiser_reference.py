"""Prints the expected values of tests/optimiser.rs. They were made with torch 2.11.0 on the CPU."""

import torch

WEIGHTS = [0.5, -1.0, 2.0, 0.0, 0.125]
GRADIENTS = [[0.1, -0.2, 0.3, 0.0, 1e-3], [-0.05, 0.4, 0.3, 0.0, -2e-3], [0.2, 0.1, -0.6, 1.0, 5e-4]]

OPTIMISERS = {
    "SGD": lambda w: torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.01),
    "SGD_NESTEROV": lambda w: torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "SGD_PLAIN": lambda w: torch.optim.SGD([w], lr=0.1),
    "ADAM": lambda w: torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
    "ADAMW": lambda w: torch.optim.AdamW([w], lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
}

for name, make in OPTIMISERS.items():
    weights = torch.nn.Parameter(torch.tensor(WEIGHTS, dtype=torch.float64))
    optimiser = make(weights)
    rows = []
    for gradient in GRADIENTS:
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        rows.append(weights.tolist())
    print(f"const {name}: Steps = [")
    for row in rows:
        print("    [" + ", ".join(f"{value:.9}" for value in row) + "],")
    print("];")
