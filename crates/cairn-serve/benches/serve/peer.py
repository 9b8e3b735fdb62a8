"""A server of the same model as one would write it in Python: FastAPI and uvicorn, with ONNX Runtime or OpenVINO.

    cairn export shipped --format onnx -o model.onnx
    pip install fastapi uvicorn uvloop httptools pillow numpy onnxruntime openvino
    python peer.py --model model.onnx --runtime openvino --port 8001

The exported model holds the whole of cairn's preprocessing and its views, so both servers do the same. JPEG is decoded at
a fraction of its size where that is enough (Pillow's draft mode), outside of the event loop; Pillow and both runtimes
release Python's lock while they work.
"""

import argparse
import asyncio
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from PIL import Image, ImageOps


def onnxruntime_model(path, threads, parallel):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, threads // parallel)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda photo: session.run(None, {name: photo})[0]


def openvino_model(path, threads, parallel):
    import threading

    import openvino

    hint = "LATENCY" if parallel == 1 else "THROUGHPUT"
    config = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": threads}
    if parallel > 1:
        config["NUM_STREAMS"] = parallel
    compiled = openvino.Core().compile_model(path, "CPU", config)
    own = threading.local()

    def infer(photo):
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        return own.request.infer({0: photo})[0]

    return infer


def read(body, short_side):
    """The photo as [1, 3, height, width], of its own type (uint8 or float32 is cast below)."""
    picture = Image.open(io.BytesIO(body))
    if picture.format == "JPEG" and short_side:
        # The least of 1/1, 1/2, 1/4 and 1/8 whose shorter side is no shorter than the model looks at.
        factor = min(picture.size) / short_side
        picture.draft("RGB", (round(picture.width / factor), round(picture.height / factor)))
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    return numpy.ascontiguousarray(numpy.asarray(picture).transpose(2, 0, 1)[None])


def application(arguments):
    threads = arguments.threads or os.cpu_count()
    make = onnxruntime_model if arguments.runtime == "onnxruntime" else openvino_model
    infer = make(arguments.model, threads, arguments.parallel)
    dtype = numpy.float32 if arguments.input == "float32" else numpy.uint8
    labels = json.loads(arguments.labels) if arguments.labels else None
    pool = ThreadPoolExecutor(max(arguments.parallel, threads))
    turns = asyncio.Semaphore(arguments.parallel)
    app = FastAPI()

    def photo_of(body):
        return read(body, arguments.short_side).astype(dtype, copy=False)

    @app.post("/v1/predict")
    async def predict(request: Request):
        body = await request.body()
        loop = asyncio.get_running_loop()
        try:
            photo = await loop.run_in_executor(pool, photo_of, body)
        except Exception as error:
            raise HTTPException(422, str(error)) from error
        async with turns:
            probabilities = await loop.run_in_executor(pool, infer, photo)
        probabilities = probabilities.reshape(-1)
        best = numpy.argsort(-probabilities)[:3]
        return [
            {"class": labels[i] if labels else int(i), "probability": float(probabilities[i])} for i in best
        ]

    @app.get("/health")
    async def health():
        return "ok"

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--runtime", choices=["onnxruntime", "openvino"], required=True)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--threads", type=int, help="threads of the runtime [default: all cores]")
    parser.add_argument("--parallel", type=int, default=1, help="photos in the network at once [default: 1]")
    parser.add_argument("--input", choices=["uint8", "float32"], default="float32", help="the model's input type")
    parser.add_argument("--short-side", type=int, default=256, help="the least shorter side that is read of a JPEG")
    parser.add_argument("--labels", help="a JSON list of the classes")
    arguments = parser.parse_args()
    uvicorn.run(application(arguments), host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
