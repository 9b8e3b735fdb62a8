"""Measures what a call from Python adds to the call of the library, a photo.

    cargo build --release -p cairn-serve --example load
    pip install ./python pillow
    python call.py --load target/release/examples/load PHOTO...

The library and the module are asked in turn, for a second each; the least median of all rounds is what is compared, since what
else the machine does only adds. A small model makes the difference plain: its answer takes less than a millisecond.
"""

import argparse
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import cairn_landmarks as cairn

RECIPE = """
[network]
architecture = "three-conv"
dropout = 0.25

[photos]
framing = { short_side_crop = { short_side = 36, crop = 32 } }
normalisation = "data-set"
augment = [{ random_resized_crop = { size = 32, scale = [0.6, 1.0] } }]

[training]
batch = 8
epochs = 1
seed = 1

[optimiser]
kind = "adamw"
learning_rate = 1e-3

[schedule]
kind = "constant"
"""


def small_model(folder):
    data = cairn.demo_photos(folder / "photos", classes=["Pyramid", "Dome"], train=12, test=4, side=48)
    (folder / "small.toml").write_text(RECIPE)
    path = folder / "small.safetensors"
    cairn.train(data, recipe=folder / "small.toml", out=folder / "run").model.save(path)
    return path


def of_library(load, photo, model, pixels):
    """Milliseconds a call of the library, the median of a second."""
    command = [load, "library", photo, "--path", model, "--seconds", "1", "--pixels", str(pixels).lower()]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"p50 ([\d.]+)", said)[1])


def of_module(call):
    """Milliseconds a call of the module, the median of a second."""
    call()
    begun, times = time.perf_counter(), []
    while time.perf_counter() < begun + 1:
        before = time.perf_counter()
        call()
        times.append((time.perf_counter() - before) * 1e3)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--load", type=Path, required=True, help="the example `load` of cairn-serve")
    parser.add_argument("--model", type=Path, help="a model, in place of a small one")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.model or small_model(Path(folder))
        model = cairn.Model.open(place)
        for path in arguments.photos:
            content, image = path.read_bytes(), ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            array = np.asarray(image)
            calls = {
                ("bytes", "predict_landmarks"): lambda: model.predict_landmarks(content),
                ("bytes", "predict_proba"): lambda: model.predict_proba(content),
                ("array", "predict_landmarks"): lambda: model.predict_landmarks(array),
                ("array", "predict_proba"): lambda: model.predict_proba(array),
                ("PIL", "predict_landmarks"): lambda: model.predict_landmarks(image),
            }
            rust, python = {}, {}
            for _ in range(arguments.rounds):
                for pixels in [False, True]:
                    rust.setdefault(pixels, []).append(of_library(arguments.load.resolve(), path, place, pixels))
                for call, function in calls.items():
                    python.setdefault(call, []).append(of_module(function))
            print(f"{path.name}, {image.width} x {image.height}, {len(content) / 1e3:.0f} kB")
            for (source, function), times in python.items():
                library = min(rust[source != "bytes"])
                print(f"  {function}({source}): {min(times):.3f} ms, library {library:.3f}: {min(times) - library:+.3f}")


if __name__ == "__main__":
    main()
