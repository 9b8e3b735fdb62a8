"""Names the landmark in each photo of a folder as one would write it in Python: OpenCV and OpenVINO, in two processes.

    cairn export shipped --format onnx --views none -o model.onnx
    pip install opencv-python-headless openvino numpy
    python peer.py model.onnx FOLDER --processes 2 --views 6 > answers.jsonl
    cairn predict FOLDER --format jsonl > answers.jsonl

A photo is decoded at a fraction of its size where that is enough, its short side resized to 192 px, and cut into the six views that
the model that ships looks at (both ends and the middle, and their mirror images), which pass through the network together.
The exported model frames and normalises 192 x 192 levels. Time the whole process.
"""

import argparse
import json
import multiprocessing
import os
import sys

SIDE = 192


def start(model, views):
    import cv2
    import numpy
    import openvino

    cv2.setNumThreads(1)
    core = openvino.Core()
    network = core.read_model(model)
    network.reshape([views, 3, SIDE, SIDE])
    config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(network, "CPU", config)
    globals().update(cv2=cv2, numpy=numpy, request=compiled.create_infer_request(), views=views)


def read(path):
    """The photo, upright, of a short side of at least SIDE pixels and at most four times that."""
    with open(path, "rb") as file:
        data = numpy.frombuffer(file.read(), numpy.uint8)
    # A small photo is decoded whole; a large one at a quarter, which OpenCV reads from JPEG directly.
    flag = cv2.IMREAD_REDUCED_COLOR_4 if len(data) > 400_000 else cv2.IMREAD_COLOR
    photo = cv2.imdecode(data, flag)
    if photo is not None and min(photo.shape[:2]) < SIDE and flag != cv2.IMREAD_COLOR:
        photo = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return photo


def answer(path):
    photo = read(path)
    if photo is None:
        return {"photo": path, "error": "cannot be decoded"}
    height, width = photo.shape[:2]
    scale = SIDE / min(height, width)
    size = max(SIDE, round(width * scale)), max(SIDE, round(height * scale))
    photo = cv2.cvtColor(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    (width, height), cuts = size, []
    for share in (0.5,) if views == 1 else (0, 0.5, 1):
        left, top = round((width - SIDE) * share), round((height - SIDE) * share)
        cut = photo[top : top + SIDE, left : left + SIDE]
        cuts += [cut] if views == 1 else [cut, cut[:, ::-1]]
    batch = numpy.ascontiguousarray(numpy.stack(cuts).transpose(0, 3, 1, 2))
    probabilities = request.infer({0: batch})[0].mean(0)
    best = numpy.argsort(-probabilities)[:3]
    return {"photo": path, "landmarks": [[int(at), float(probabilities[at])] for at in best]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--views", type=int, choices=(1, 6), default=6)
    arguments = parser.parse_args()
    paths = sorted(os.path.join(arguments.folder, name) for name in os.listdir(arguments.folder))
    with multiprocessing.Pool(arguments.processes, start, (arguments.model, arguments.views)) as pool:
        for line in pool.imap(answer, paths, chunksize=8):
            sys.stdout.write(json.dumps(line) + "\n")
