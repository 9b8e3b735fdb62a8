"""Measures `cairn serve` against the servers of peer.py, in turn, and against `cairn predict` and the library.

    cargo build --release --workspace --bin cairn && cargo build --release -p cairn-serve --example load
    python compare.py --model model.onnx --small small.jpg --large large.jpg

A round asks each server for some seconds, one after the other, so that what else the machine does meets all alike; the
medians over the rounds are what is compared. Where other programs want the processor too, photos a second say little: a
server of more threads gets more of it. Then the processor time of a photo says how the servers compare (Linux).
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
TARGET = ROOT / "target" / "release"


def wait(port):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def load(address, photo, clients, seconds, rate=None, path=None):
    command = [TARGET / "examples" / "load", address, photo, "--clients", str(clients), "--seconds", str(seconds)]
    command += ["--rate", str(rate)] if rate else []
    command += ["--path", str(path)] if path else []
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    numbers = re.match(r"([\d.]+) answers a second; milliseconds: p50 ([\d.]+), p90 [\d.]+, p99 ([\d.]+)", said)
    if not numbers:
        sys.exit(f"{address}: {said}")
    answers = int(re.search(r"200: (\d+)", said)[1]) if "200: " in said else 1
    return {"answers": answers, "rate": float(numbers[1]), "p50": float(numbers[2]), "p99": float(numbers[3]), "said": said.strip()}


def processor_seconds(process):
    """Processor time that a process has taken so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def predict_rate(photo, copies, folder):
    """Photos a second of `cairn predict` on a folder, and the processor time of a photo, without its start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(copies):
        os.link(photo, folder / f"{number}.jpg") if os.stat(photo).st_dev == os.stat(folder).st_dev else shutil.copy(
            photo, folder / f"{number}.jpg"
        )

    def seconds(what):
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [TARGET / "cairn", "predict", "--format", "jsonl", *what], check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return time.monotonic() - begun, used

    all_photos, few = seconds([folder]), seconds([folder / "0.jpg", folder / "1.jpg"])
    return (copies - 2) / max(all_photos[0] - few[0], 1e-3), (all_photos[1] - few[1]) / (copies - 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the ONNX file of `cairn export shipped`")
    parser.add_argument("--small", required=True, type=Path)
    parser.add_argument("--large", required=True, type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", default="", help="only servers with this text in their name, beside cairn")
    arguments = parser.parse_args()

    peer = [sys.executable, HERE / "peer.py", "--model", arguments.model, "--input", "uint8"]
    servers = {
        "cairn": ([TARGET / "cairn", "serve", "--address", "127.0.0.1:8100"], 8100),
        "FastAPI, ONNX Runtime": ([*peer, "--runtime", "onnxruntime", "--port", "8101"], 8101),
        "FastAPI, ONNX Runtime, 2 at once": (
            [*peer, "--runtime", "onnxruntime", "--port", "8102", "--parallel", "2"],
            8102,
        ),
        "FastAPI, OpenVINO": ([*peer, "--runtime", "openvino", "--port", "8103"], 8103),
        "FastAPI, OpenVINO, 2 at once": ([*peer, "--runtime", "openvino", "--port", "8104", "--parallel", "2"], 8104),
    }
    servers = {name: server for name, server in servers.items() if name == "cairn" or arguments.only in name}
    # So that the servers are ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    running = []
    try:
        for command, port in servers.values():
            running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            wait(port)
        processes = {name: process.pid for name, process in zip(servers, running)}
        measure(arguments, {name: port for name, (_, port) in servers.items()}, processes)
    finally:
        for process in running:
            process.terminate()


def measure(arguments, ports, processes):
    bundle = ROOT / "crates/cairn-model/models/landmarks.safetensors"
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    results = {}

    def note(what, name, value):
        results.setdefault(what, {}).setdefault(name, []).append(value)

    for photo in [arguments.small, arguments.large]:
        for port in ports.values():
            load(f"127.0.0.1:{port}", photo, 4, 1)
    for _ in range(arguments.rounds):
        for size, photo, copies in [("256 px", arguments.small, 300), ("12 MP", arguments.large, 80)]:
            note(f"{size}, one client, p50 ms", "library", load("library", photo, 1, 2, path=bundle)["p50"])
            rate, used = predict_rate(photo, copies, folder / "photos")
            note(f"{size}, 32 clients, photos/s", "cairn predict", rate)
            note(f"{size}, 32 clients, processor ms a photo", "cairn predict", used * 1e3)
            for name, port in ports.items():
                address = f"127.0.0.1:{port}"
                note(f"{size}, one client, p50 ms", name, load(address, photo, 1, 2)["p50"])
                before = processor_seconds(processes[name])
                busy = load(address, photo, 32, arguments.seconds)
                used = processor_seconds(processes[name]) - before
                note(f"{size}, 32 clients, photos/s", name, busy["rate"])
                note(f"{size}, 32 clients, processor ms a photo", name, used * 1e3 / busy["answers"])
        show(results)
    # Half of what the better peer can do, for all alike.
    for size, photo in [("256 px", arguments.small), ("12 MP", arguments.large)]:
        rates = results[f"{size}, 32 clients, photos/s"]
        peers = [statistics.median(rates[name]) for name in ports if name != "cairn"]
        rate = max(peers) / 2
        for _ in range(arguments.rounds):
            for name, port in ports.items():
                half = load(f"127.0.0.1:{port}", photo, 32, arguments.seconds, rate=rate)
                note(f"{size}, {rate:.1f} photos/s, p99 ms", name, half["p99"])
    shutil.rmtree(folder)
    show(results)


def show(results):
    for what, names in results.items():
        print(what)
        for name, values in names.items():
            print(f"  {name:36} {statistics.median(values):8.1f}   {json.dumps(values)}")


if __name__ == "__main__":
    main()
