"""Measures `cairn label` against Ray Data and PySpark with ONNX Runtime: the same photos, the same view, the same cores.

    cargo build --release
    target/release/cairn export shipped --format onnx --views none -o model.onnx
    pip install psutil pyarrow 'ray[data]' pyspark pandas onnxruntime pillow numpy      # and Java 17
    python compare.py --model model.onnx --photos DIR --count 20000 --rounds 3

The photos of DIR are linked until there are `--count`. Each round runs every side once, one after the other, so that what
else the machine does meets all alike. A run is timed from its start to its end; beside it is the rate without the start: that
of the photos beyond those of a short run. Where other programs want the processor too, processor time says how the sides
compare. All sides look at the middle square of 192 px (`--tta none`).
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import pyarrow
import pyarrow.parquet

from measured import measure

HERE = Path(__file__).parent
CAIRN = HERE.parents[3] / "target" / "release" / "cairn"
SUFFIXES = {".jpg", ".jpeg", ".png"}


def lines_of_code(*names):
    """Lines that are no comment, no docstring and not blank."""
    count = 0
    for name in names:
        in_docstring = False
        for line in (HERE / name).read_text().splitlines():
            quotes = line.count('"""')
            if not in_docstring and not quotes and line.strip() and not line.strip().startswith("#"):
                count += 1
            in_docstring ^= quotes % 2
    return count


def link_photos(source, count, folder):
    """Links to the photos in a folder, one after the other and again, and a Parquet list of them."""
    photos = sorted(path for path in Path(source).rglob("*") if path.suffix.lower() in SUFFIXES)
    names = []
    for number in range(count):
        photo = photos[number % len(photos)]
        link = folder / "photos" / f"{number // 1000:04}" / f"{number:08}{photo.suffix.lower()}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo.resolve())
        names.append(str(link))
    pyarrow.parquet.write_table(pyarrow.table({"photo": names}), folder / "list.parquet")
    return folder / "list.parquet"


def named(out):
    """What a run named, by photo."""
    table = pyarrow.parquet.read_table(sorted(Path(out).glob("*.parquet")), columns=["photo", "name", "probability"])
    return {row["photo"]: row for row in table.to_pylist()}


def agreement(here, there):
    """The share of photos that two runs call alike, of those that both call something."""
    both = [photo for photo, row in here.items() if row["name"] and there[photo]["name"]]
    return sum(here[photo]["name"] == there[photo]["name"] for photo in both) / len(both)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the ONNX file")
    parser.add_argument("--photos", required=True, help="a folder of photos")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--few", type=int, default=500, help="photos of the short run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--cairn", type=Path, default=CAIRN)
    parser.add_argument("--only", default="", help="only sides with this text in their name")
    parser.add_argument("--threshold", default="0", help="from which score on cairn names a landmark; 0: always")
    arguments = parser.parse_args()

    peer = ["--model", arguments.model, "--workers", "2", "--threads", "1"]
    sides = {
        "cairn label": [arguments.cairn, "label", "--tta", "none", "--threshold", arguments.threshold, "{list}", "-o", "{out}"],
        "cairn label, f32": [
            arguments.cairn, "label", "--tta", "none", "--precision", "f32", "--threshold", arguments.threshold, "{list}", "-o", "{out}",
        ],
        "Ray Data, ONNX Runtime": [sys.executable, HERE / "with_ray.py", "{list}", "{out}", *peer],
        "PySpark, ONNX Runtime": [sys.executable, HERE / "with_spark.py", "{list}", "{out}", *peer],
    }  # fmt: skip
    sides = {name: command for name, command in sides.items() if arguments.only in name}
    print("lines of user code: Ray Data", lines_of_code("with_ray.py", "onnx_photos.py"), end=", ")
    print("PySpark", lines_of_code("with_spark.py", "onnx_photos.py"))
    work = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        compare(arguments, sides, work)
    finally:
        shutil.rmtree(work)


def compare(arguments, sides, work):
    (work / "few").mkdir()
    lists = [link_photos(arguments.photos, arguments.few, work / "few")]
    lists.append(link_photos(arguments.photos, arguments.count, work))
    keys = ["seconds", "few seconds", "processor", "few processor", "MB"]
    results = {name: {key: [] for key in keys} for name in sides}
    names = {}
    for _ in range(arguments.rounds):
        for name, command in sides.items():
            for place, few in zip(lists, ["few ", ""]):
                out = work / "out"
                run = measure([str(part).format(list=place, out=out) for part in command], arguments.cores, cwd=work)
                if run.status not in (0, 2):
                    sys.exit(f"{name}: {run.said[-2000:]}")
                results[name][f"{few}seconds"].append(run.seconds)
                results[name][f"{few}processor"].append(run.processor_seconds)
                if not few:
                    results[name]["MB"].append(run.megabytes)
                    names.setdefault(name, named(out))
                shutil.rmtree(out)
        show(arguments, results)
    first = next(iter(names))
    for name in names:
        print(f"{name}: {len(names[name])} rows, {agreement(names[first], names[name]):.2%} called as by {first}")


def show(arguments, results):
    more = arguments.count - arguments.few
    for name, result in results.items():
        seconds, few_seconds, processor, few_processor = (min(result[key]) for key in list(result)[:4])
        print(
            f"{name:26} {arguments.count / seconds:7.1f} photos/s; without the start "
            f"{more / max(seconds - few_seconds, 1e-3):7.1f}, {1e3 * (processor - few_processor) / more:6.2f} processor ms a photo; "
            f"{statistics.median(result['MB']):6.0f} MB   {json.dumps(result)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
