"""Writes resize.json: what Pillow's antialiased bilinear resizing makes of a drawn photo and of real ones.

The values in the repository were made with Python 3, Pillow 13.0.0 and torchvision 0.26.0:

    CAIRN_DATA=... python resize.py > resize.json

The drawn photo comes from the same formula in ../drawn/mod.rs; its results are kept whole. Of a real photo, resized and
cropped as networks see it (torchvision's Resize 256, CenterCrop 224), every 16th pixel of every 16th row is kept.
"""

import json
import os

import numpy as np
from PIL import Image
from torchvision.transforms import functional as F


def drawn(width, height):
    y, x = np.mgrid[0:height, 0:width]
    red = (x * 255) // (width - 1)
    green = (x * x * 3 + y * 29 + x * y) % 256
    blue = 255 * ((x // 3 + y // 4) % 2)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


def on_white(image):
    if image.mode == "RGBA" or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


DRAWN = [
    # From width, height to width, height: smaller, much smaller, larger, one side only, to a single pixel.
    ((97, 61), (40, 25)),
    ((97, 61), (13, 9)),
    ((20, 14), (33, 31)),
    ((97, 61), (97, 20)),
    ((97, 61), (31, 61)),
    ((60, 50), (1, 1)),
]
REAL = [
    "large-e4743b329020.jpg",
    "large-c2f989b7c422.jpg",
    "gps-1049b8fb1f62.jpg",
    "gps-15b90f14eb5d.jpg",
    "l-a3cd12d0c826.jpg",
    "cmyk-f4eafa27bd2e.jpg",
    "mpo-f2f2d39e7565.jpg",
    "webp-rgb-11b008358b25.webp",
    "png-p-c46b022868cc.png",
    "gif-p-e6d457c2cda9.gif",
]

drawn_cases = [
    {
        "from": [*old],
        "to": [*new],
        "pixels": np.asarray(drawn(*old).resize(new, Image.Resampling.BILINEAR)).flatten().tolist(),
    }
    for old, new in DRAWN
]
real_cases = []
for name in REAL:
    photo = on_white(Image.open(os.path.join(os.environ["CAIRN_DATA"], "photos", name)))
    framed = F.center_crop(F.resize(photo, 256), 224)
    real_cases.append({"file": name, "grid": np.asarray(framed)[8::16, 8::16].flatten().tolist()})

lines = [f'"{kind}": [\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"
         for kind, cases in (("drawn", drawn_cases), ("real", real_cases))]
print("{\n" + ",\n".join(lines) + "\n}")
