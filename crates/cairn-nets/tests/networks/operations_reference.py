"""Writes operations.json: what PyTorch makes of one map by each operation of a graph.

    python operations_reference.py > operations.json

The values beside this script were made with Python 3.11.7 and PyTorch 2.11.0, on a CPU.
"""

import json

import torch
import torch.nn.functional as F

CHANNELS, HEIGHT, WIDTH = 2, 4, 5


def wave(shape, step, start=0.0):
    """Numbers without a pattern that an error could hide in: sin(start + step * i)."""
    count = torch.Size(shape).numel()
    return (start + step * torch.arange(count, dtype=torch.float64)).sin().float().reshape(shape)


x = 4 * wave([1, CHANNELS, HEIGHT, WIDTH], 0.37, -20)
pixels = x.permute(0, 2, 3, 1)
kernel, weight = wave([3, CHANNELS, 2, 1], 0.5), wave([3, CHANNELS], 0.7)
bias, scale, shift = wave([3], 0.9), wave([CHANNELS], 0.3, 1), wave([CHANNELS], 0.2)

OPERATIONS = {
    "hard_swish": F.hardswish(x),
    "hard_sigmoid": F.hardsigmoid(x),
    "silu": F.silu(x),
    "sigmoid": torch.sigmoid(x),
    "gelu": F.gelu(x),
    "relu": F.relu(x),
    "relu6": F.relu6(x),
    "mul": x * x.mean((2, 3), keepdim=True),
    "concat": torch.cat([x, F.relu(x)], 1),
    "max_pool": F.max_pool2d(x, 2, 1, 1),
    "max_pool, uneven": F.max_pool2d(x, (2, 3), 2, (0, 1), ceil_mode=True),
    "average_pool": F.avg_pool2d(x, (3, 2), (2, 1), (1, 0)),
    "adaptive_average_pool": F.adaptive_avg_pool2d(x, (3, 2)),
    "global_average_pool": x.mean((2, 3), keepdim=True),
    "generalised_mean": F.avg_pool2d(x.clamp(min=0.25).pow(2.5), (HEIGHT, WIDTH)).pow(1 / 2.5),
    "flatten": x.flatten(1),
    "conv2d, uneven": F.conv2d(x, kernel, bias, (2, 1), (1, 0)),
    "linear": F.linear(pixels, weight, bias).permute(0, 3, 1, 2),
    # A great epsilon, since the norm of two channels is otherwise a sign.
    "layer_norm": F.layer_norm(pixels, (CHANNELS,), scale, shift, 2.0).permute(0, 3, 1, 2),
    "layer_scale": x * scale[:, None, None],
}
print(json.dumps({name: [round(v, 6) for v in y.flatten().tolist()] for name, y in OPERATIONS.items()}))
