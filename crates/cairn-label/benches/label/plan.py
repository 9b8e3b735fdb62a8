"""Measures how long `cairn label` plans a list of 10^8 rows, and how long it resumes when all files are there, and the memory.

    cargo build --release
    pip install pyarrow
    python plan.py --rows 100000000 --csv-rows 10000000 --folder /tmp/plan        # 3 GB of disk, 20 minutes

Plans are those of the program itself: it is stopped (SIGINT) once its plan is in the output. To have all files there, it labels
a list that names no photos: their rows are errors, and take it microseconds. The list of names is as large as a real one.
"""

import argparse
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet

ROOT = Path(__file__).parents[4]
GROUP = 1 << 20


def names(count):
    """Paths of usual length."""
    return [f"photos/{number >> 10:03x}/{number * 2654435761 & 0xFFFFFFFF:08x}.jpg" for number in range(count)]


def write_parquet(path, rows, of=names):
    """The same million names again and again: a plan reads none of them."""
    schema = pyarrow.schema([("photo", pyarrow.string())])
    some = pyarrow.table([pyarrow.array(of(GROUP), pyarrow.string())], schema)
    with pyarrow.parquet.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
        for start in range(0, rows, GROUP):
            writer.write_table(some.slice(0, rows - start), row_group_size=GROUP)


def write_csv(path, rows):
    some = [f"{name},a caption\n" for name in names(GROUP)]
    with open(path, "w") as lines:
        lines.write("photo,caption\n")
        for start in range(0, rows, GROUP):
            lines.writelines(some[: rows - start])


def peak(process):
    """The most memory that a process has held, in MB; 0 of one that is ending."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0


def run(cairn, source, out, until_planned):
    """Seconds, processor seconds and MB of a labelling: until its plan is written, or to its end."""
    begun = time.monotonic()
    process = subprocess.Popen([cairn, "label", source, "-o", out, "--tta", "none"], stderr=subprocess.DEVNULL)
    planned = most = 0
    while True:
        most = max(most, peak(process.pid))
        ended, _, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if until_planned and not planned and (out / "_plan.json").exists():
            planned = time.monotonic() - begun
            process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    seconds = planned or time.monotonic() - begun
    return seconds, usage.ru_utime + usage.ru_stime, most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--csv-rows", type=int, default=10_000_000)
    parser.add_argument("--tars", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, required=True, help="a folder to work in; it is made and removed")
    parser.add_argument("--cairn", type=Path, default=ROOT / "target" / "release" / "cairn")
    arguments = parser.parse_args()
    folder, cairn = arguments.folder, arguments.cairn
    folder.mkdir()
    try:
        for name, write, rows in [
            ("list.parquet", write_parquet, arguments.rows),
            ("list.csv", write_csv, arguments.csv_rows),
        ]:
            write(folder / name, rows)
            show(f"planning {name}, {rows:,} rows", *run(cairn, folder / name, folder / "out", True))
            plan = (folder / "out/_plan.json").stat().st_size
            print(f"    _plan.json: {plan / 1e6:.1f} MB; the list: {(folder / name).stat().st_size / 1e6:,.0f} MB")
            os.remove(folder / name)
            shutil.rmtree(folder / "out")
        tars(arguments, cairn, folder)
        write_parquet(folder / "empty.parquet", arguments.rows, lambda count: [""] * count)
        show(f"{arguments.rows:,} rows without photos", *run(cairn, folder / "empty.parquet", folder / "out", False))
        os.remove(folder / "out/_SUCCESS")
        files = len(os.listdir(folder / "out"))
        show(f"resuming with all of {files:,} files there", *run(cairn, folder / "empty.parquet", folder / "out", False))
    finally:
        shutil.rmtree(folder)


def tars(arguments, cairn, folder):
    """Each tar file is a list, and a shard."""
    (folder / "tars").mkdir()
    for number in range(arguments.tars):
        # The end of a tar file: it has no members.
        (folder / "tars" / f"{number:08}.tar").write_bytes(bytes(1024))
    show(f"planning {arguments.tars:,} tar files", *run(cairn, folder / "tars/*.tar", folder / "out", True))
    shutil.rmtree(folder / "tars")
    shutil.rmtree(folder / "out")


def show(what, seconds, processor_seconds, megabytes):
    print(f"{what}: {seconds:.1f} s, {processor_seconds:.1f} s of the processor, {megabytes:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
