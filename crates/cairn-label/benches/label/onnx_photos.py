"""Photos through ONNX Runtime, as one would write it in Python: what the scripts for Ray Data and Spark share.

The exported model takes uint8 of any size; in a batch all have one. So photos are decoded at a fraction of their size where
that is enough (Pillow's draft mode), and cut to the square that the model looks at.
"""

import json

import numpy
import onnxruntime
from PIL import Image, ImageOps

SIDE = 192


def open_model(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait for work would take the processor from the workers beside.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
    return session, session.get_inputs()[0].name, names


def read(path):
    with Image.open(path) as photo:
        if photo.format == "JPEG":
            factor = min(photo.size) / SIDE
            photo.draft("RGB", (round(photo.width / factor), round(photo.height / factor)))
        photo = ImageOps.exif_transpose(photo).convert("RGB")
        photo = ImageOps.fit(photo, (SIDE, SIDE), Image.Resampling.BILINEAR)
    return numpy.asarray(photo).transpose(2, 0, 1)


def label(model, paths):
    """A row for each path: the likeliest landmark, or why the photo cannot be read."""
    session, name, names = model
    photos, errors = [], {}
    for place, path in enumerate(paths):
        try:
            photos.append(read(path))
        except OSError as error:
            errors[place] = str(error)
            photos.append(numpy.zeros((3, SIDE, SIDE), numpy.uint8))
    probabilities = session.run(None, {name: numpy.stack(photos)})[0]
    best = probabilities.argmax(axis=1)
    return {
        "photo": list(paths),
        "name": [None if place in errors else names[best[place]] for place in range(len(paths))],
        "probability": [None if place in errors else float(probabilities[place, best[place]]) for place in range(len(paths))],
        "error": [errors.get(place) for place in range(len(paths))],
    }
