"""Writes augment.json: what torchvision's functional transforms make of a small drawn photo.

The values in the repository were made with Python 3, torch 2.11.0, torchvision 0.26.0 and Pillow 13.0.0:

    python augment.py > augment.json

The photo is drawn by the same formula in ../drawn/mod.rs. Each case is the pixels of the result, [height, width, 3], flattened.
"""

import json

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op


def drawn(width, height):
    y, x = np.mgrid[0:height, 0:width]
    red = (x * 255) // (width - 1)
    green = (x * x * 3 + y * 29 + x * y) % 256
    blue = 255 * ((x // 3 + y // 4) % 2)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


photo = drawn(24, 16)
cases = {}


def record(name, result):
    cases[name] = {"width": result.width, "height": result.height, "pixels": np.asarray(result).flatten().tolist()}


for degrees in (20.0, -7.5, 90.0, 180.0):
    record(f"rotate {degrees}", F.rotate(photo, degrees))
for degrees, translate, scale, shear in (
    (10.0, (0, 0), 1.0, 0.0),
    (0.0, (3, -2), 1.0, 0.0),
    (0.0, (0, 0), 0.93, 0.0),
    (0.0, (0, 0), 1.0, 5.0),
    (-8.5, (-2, 1), 1.1, -4.25),
):
    name = f"affine {degrees} {translate[0]} {translate[1]} {scale} {shear}"
    record(name, F.affine(photo, degrees, list(translate), scale, [shear, 0.0]))
for factor in (0.0, 0.8, 1.2, 3.0):
    record(f"brightness {factor}", F.adjust_brightness(photo, factor))
    record(f"contrast {factor}", F.adjust_contrast(photo, factor))
    record(f"saturation {factor}", F.adjust_saturation(photo, factor))
for turns in (-0.5, -0.1, 0.05, 0.25, 0.5):
    record(f"hue {turns}", F.adjust_hue(photo, turns))
for kernel, sigma in ((5, 0.1), (5, 1.0), (5, 2.0), (3, 0.7)):
    record(f"blur {kernel} {sigma}", F.gaussian_blur(photo, kernel, sigma))
for y, x, height, width, size in ((2, 3, 11, 17, 8), (0, 0, 16, 24, 20), (5, 6, 7, 7, 7)):
    record(f"resized_crop {x} {y} {width} {height} {size}", F.resized_crop(photo, y, x, height, width, [size, size]))

for operation, magnitude in (
    ("ShearX", 0.27), ("ShearX", -0.9), ("ShearY", 0.3), ("TranslateX", -5.6), ("TranslateY", 3.9), ("Rotate", -12.0),
    ("Brightness", -0.4), ("Color", 0.6), ("Contrast", 0.45), ("Sharpness", -0.9), ("Sharpness", 0.9),
    ("Posterize", 3), ("Posterize", 8), ("Solarize", 127.5), ("Solarize", 0.0), ("AutoContrast", 0.0), ("Equalize", 0.0),
):
    record(f"operation {operation} {magnitude}", _apply_op(photo, operation, magnitude, InterpolationMode.NEAREST, None))
# A photo of few levels, so that there is something to stretch and to spread.
pale = F.adjust_contrast(photo, 0.3)
for operation in ("AutoContrast", "Equalize"):
    record(f"pale {operation}", _apply_op(pale, operation, 0.0, InterpolationMode.NEAREST, None))
erased = F.erase(torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1), 4, 3, 9, 7, torch.tensor([124, 116, 104])[:, None, None])
record("erase 3 4 7 9", Image.fromarray(erased.permute(1, 2, 0).numpy()))

# Steps one after the other, as the systems have them.
chain = F.crop(photo, 1, 3, 14, 14)
chain = F.resized_crop(chain, 2, 1, 12, 11, [14, 14])
chain = F.affine(chain, -8.5, [-1, 1], 1.05, [3.0, 0.0])
record("system_b geometry", chain)
chain = F.adjust_hue(F.adjust_contrast(F.adjust_saturation(F.adjust_brightness(chain, 1.1), 1.15), 0.9), 0.05)
record("system_b colour", F.hflip(chain))
record("system_b", F.gaussian_blur(F.hflip(chain), 5, 1.0))
record("system_c", F.rotate(F.center_crop(F.resize(photo, 12), 12), 13.0))
record("flip_then_rotate", F.rotate(F.hflip(photo), 13.0))
record("rotate_then_crop", F.resized_crop(F.rotate(photo, 13.0), 2, 3, 11, 12, [9, 9]))

print("{")
for last, (name, case) in zip([*[","] * (len(cases) - 1), ""], cases.items()):
    print(f"{json.dumps(name)}: {json.dumps(case, separators=(',', ':'))}{last}")
print("}")
