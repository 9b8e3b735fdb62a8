"""The peer of `cairn bench infer --precision int8` and of `cairn export --format bundle --int8`: OpenVINO with NNCF.

    pip install openvino nncf torch torchvision timm pillow numpy
    python openvino_peer.py speed                                   # beside `cairn bench infer`, in the same minutes
    cairn export shipped --format onnx -o model.onnx
    python openvino_peer.py accuracy --model model.onnx --calibration DIR/train --test DIR

`speed` times the same networks at 224 px with random weights, after post-training quantisation on noise, and prints a JSON
object a line as `cairn bench` does. `accuracy` quantises an exported model, preprocessing and views included, on 256 photos
evenly spread over the folder, and counts the test photos (`DIR/test/CLASS/PHOTO`) that it names right before and after.
"""

import argparse
import json
import logging
import os
import time
from pathlib import Path

import numpy
import nncf
import openvino

logging.getLogger("nncf").setLevel(logging.ERROR)

SIDE = 224
CLASSES = 50


def resnet18_small():
    """ResNet-18 of half the width: that of the model that ships."""
    from torch import nn
    from torchvision.models import resnet18

    network = resnet18(num_classes=CLASSES)

    def halve(module):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d):
                inputs = child.in_channels if child.in_channels == 3 else child.in_channels // 2
                options = {"stride": child.stride, "padding": child.padding, "bias": False}
                setattr(module, name, nn.Conv2d(inputs, child.out_channels // 2, child.kernel_size, **options))
            elif isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.BatchNorm2d(child.num_features // 2))
            else:
                halve(child)

    halve(network)
    network.fc = nn.Linear(256, CLASSES)
    return network


def networks():
    import timm
    import torchvision.models as models

    return {
        "resnet18_small": resnet18_small,
        "resnet34": lambda: models.resnet34(num_classes=CLASSES),
        "mobilenet_v2": lambda: models.mobilenet_v2(num_classes=CLASSES),
        "efficientnet_lite0": lambda: timm.create_model("tf_efficientnet_lite0", num_classes=CLASSES),
    }


def compiled(model, hint, threads):
    return openvino.Core().compile_model(
        model, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": threads}
    )


def best_speed(model, batch, repeats, threads):
    request = compiled(model, "LATENCY", threads).create_infer_request()
    photos = numpy.random.default_rng(1).standard_normal((batch, 3, SIDE, SIDE), dtype=numpy.float32)
    request.infer({0: photos})
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        request.infer({0: photos})
        best = min(best, time.perf_counter() - begun)
    return batch / best


def speed(options):
    import torch

    makers = networks()
    for name in options.net.split(","):
        network = makers[name]().eval()
        for batch in options.batch:
            model = openvino.convert_model(network, example_input=torch.zeros(batch, 3, SIDE, SIDE))
            model.reshape([batch, 3, SIDE, SIDE])
            noise = numpy.random.default_rng(2).standard_normal((4, batch, 3, SIDE, SIDE), dtype=numpy.float32)
            quantised = nncf.quantize(model, nncf.Dataset(list(noise)), subset_size=len(noise))
            repeats = options.repeats or (20 if batch == 1 else 5)
            line = {"what": "infer", "peer": f"openvino {openvino.__version__.split('-')[0]} int8 (nncf)"}
            figure = best_speed(quantised, batch, repeats, options.threads)
            print(json.dumps(line | {"net": name, "batch": batch, "images_per_second": round(figure, 1)}), flush=True)


def read(path):
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        # The exported model enlarges and reduces by itself; 1,024 px are more than it looks at, and keep memory flat.
        upright.thumbnail((1024, 1024))
        return numpy.asarray(upright).transpose(2, 0, 1)[None]


def photos_in(folder):
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and not path.name.startswith("."))
    return [path for path in files if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}]


def accuracy(options):
    model = openvino.Core().read_model(options.model)
    photos = photos_in(options.calibration)
    count = min(len(photos), 256)
    chosen = [photos[index * len(photos) // count] for index in range(count)]
    quantised = nncf.quantize(model, nncf.Dataset(chosen, read), subset_size=count)
    classes = sorted(folder.name for folder in (Path(options.test) / "test").iterdir() if folder.is_dir())
    examples = [
        (path, number) for number, name in enumerate(classes) for path in photos_in(Path(options.test) / "test" / name)
    ]
    for kind, of in [("as exported", model), ("int8 (nncf)", quantised)]:
        request = compiled(of, "LATENCY", options.threads).create_infer_request()
        right = sum(int(request.infer({0: read(path)})[0].argmax()) == truth for path, truth in examples)
        print(json.dumps({"what": "accuracy", "peer": f"openvino {kind}", "right": right, "total": len(examples)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    verbs = parser.add_subparsers(required=True)
    timing = verbs.add_parser("speed")
    timing.add_argument("--net", default="resnet18_small,resnet34,mobilenet_v2,efficientnet_lite0")
    timing.add_argument("--batch", type=int, nargs="+", default=[1, 32])
    timing.add_argument("--repeats", type=int)
    timing.set_defaults(run=speed)
    counting = verbs.add_parser("accuracy")
    counting.add_argument("--model", required=True)
    counting.add_argument("--calibration", required=True)
    counting.add_argument("--test", required=True)
    counting.set_defaults(run=accuracy)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
