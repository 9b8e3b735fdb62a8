"""Writes grad_cam_reference.json: class activation maps of pytorch-grad-cam.

    python grad_cam_reference.py > grad_cam_reference.json

The values beside this script were made with Python 3.11.7, grad-cam 1.5.7, PyTorch 2.11.0, torchvision 0.26.0, NumPy 2.4.6
and OpenCV 5.0.0, on a CPU. Weights and photo are drawn by formula, the same in the test.
"""

import json

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

CLASSES = 5
SIDE = 128
# Every eighth pixel of every eighth row is enough to tell maps apart.
STEP = 8
METHODS = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "hirescam": HiResCAM}


def uniform(name, count):
    """Numbers in [-1, 1): SplitMix64 (Steele et al. 2014), begun by FNV-1a of the tensor's name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def drawn(name, shape):
    """A tensor of the state dict: weights by He's initialisation for uniform numbers, batch norms near to standard."""
    u = uniform(name, int(np.prod(shape)))
    if len(shape) > 1:
        values = u * np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("running_var"):
        values = 1 + u / 2
    elif name.endswith("weight"):
        values = 1 + u / 4
    else:
        values = u / 10
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def photo():
    y, x, c = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(3), indexing="ij")
    pixels = ((x * x + 3 * y * y + x * y) // 64 + 50 * c) % 256
    normalised = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(normalised.astype(np.float32)).permute(2, 0, 1)[None]


def cases(architecture, network, layers):
    state = network.state_dict()
    network.load_state_dict({n: t if "num_batches" in n else drawn(n, tuple(t.shape)) for n, t in state.items()})
    network.eval()
    for layer in layers:
        for method, cam in METHODS.items():
            for label in [1, 4]:
                with cam(model=network, target_layers=[network.get_submodule(layer)]) as explained:
                    found = explained(input_tensor=photo(), targets=[ClassifierOutputTarget(label)])[0]
                values = [round(float(value), 6) for value in found[::STEP, ::STEP].ravel()]
                yield {
                    "architecture": architecture,
                    "layer": layer,
                    "method": method,
                    "class": label,
                    "values": values,
                }


# Of MobileNetV2 only the last layer: with drawn weights, so many of its values lie so near to where ReLU6 bends that
# gradients through many layers depend on the last bits.
found = [
    *cases("resnet18", torchvision.models.resnet18(num_classes=CLASSES), ["layer4", "layer2"]),
    *cases("mobilenet_v2", torchvision.models.mobilenet_v2(num_classes=CLASSES), ["features.18"]),
]
print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in found) + "\n]")
