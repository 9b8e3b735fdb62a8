"""What a scan of many files and a plan of many marks cost apart from decoding: time, processor time and peak memory.

Run:  python3 crates/cairn-library/tests/measure/many_files.py target/release/cairn [COUNT] [FOLDER]

Makes COUNT (1,000,000) small JPEGs of their own, a thousand a folder, in FOLDER (a temporary one; four kilobytes a file), scans them
with `--no-predict`, scans again, and changes one. Then it writes into the state what a model would have said that is sure of the Eiffel
Tower in each, and makes a plan of marks in sidecars. Needs Python 3 and nothing else.
"""

import os, shutil, sqlite3, struct, subprocess, sys, tempfile, time
from pathlib import Path

CAIRN = Path(sys.argv[1]).resolve()
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
FOLDER = sys.argv[3] if len(sys.argv) > 3 else None
A_FOLDER = 1000


def jpeg(number):
    """Eight by eight grey pixels, and a comment that makes the file one of its own; its picture differs, too."""
    segment = lambda marker, data: struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
    table = bytes([1 + number >> shift & 0xFF or 1 for shift in (0, 8, 16)] + [1] * 61)
    codes = bytes([0, 1] + [0] * 14 + [0])
    return (b"\xFF\xD8" + segment(0xFE, b"%d" % number) + segment(0xDB, b"\0" + table) + segment(0xC0, b"\x08\0\x08\0\x08\1\1\x11\0")
            + segment(0xC4, b"\0" + codes) + segment(0xC4, b"\x10" + codes) + segment(0xDA, b"\1\1\0\0\x3F\0") + b"\x3F\xFF\xD9")


def measured(what, arguments):
    began = time.monotonic()
    process = subprocess.Popen([CAIRN, "library", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read().strip().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    wall, cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    print(f"{what}: {wall:.1f} s, {cpu:.1f} s of processor time, {cpu / COUNT * 1e6:.0f} us a file, peak {usage.ru_maxrss / 1024:.0f} MiB, "
          f"status {os.waitstatus_to_exitcode(status)}: {said[-1] if said else ''}", flush=True)


def main():
    folder = Path(tempfile.mkdtemp(dir=FOLDER))
    root, state = folder / "photos", folder / "state"
    began, old = time.monotonic(), time.time() - 3600
    for number in range(COUNT):
        path = root / f"{number // A_FOLDER:04}" / f"IMG_{number:07}.jpg"
        if number % A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(jpeg(number))
        os.utime(path, (old, old))
    print(f"{COUNT} files made in {time.monotonic() - began:.0f} s", flush=True)
    scan = ["scan", str(root), "--state", str(state), "--no-predict"]
    measured("first scan", scan)
    measured("again, unchanged", scan)
    (root / "0000" / "IMG_0000000.jpg").write_bytes(jpeg(COUNT + 1))
    measured("again, one changed", scan)
    measured("status", ["status", "--state", str(state)])
    database = sqlite3.connect(state / "library.sqlite")
    database.executescript(
        "INSERT INTO model (id, hash, views, name, threshold, sure) VALUES (1, 'sha256:1', 'one', 'made', 0, 1);"
        "UPDATE library SET settings = '{\"model\": 1}';"
        "INSERT OR IGNORE INTO prediction SELECT payload_hash, 1, 1, 'Eiffel Tower', NULL, 0.99, 5.0 FROM file "
        "WHERE payload_hash IS NOT NULL;"
    )
    database.close()
    plan = folder / "marks.plan"
    measured("plan", ["plan", "--state", str(state), "--max-wrong", "50%", "-o", str(plan)])
    print(f"plan: {plan.stat().st_size / 2**20:.0f} MiB")
    print(f"state: {sum(file.stat().st_size for file in state.iterdir()) / 2**20:.0f} MiB")
    shutil.rmtree(folder)


main()
