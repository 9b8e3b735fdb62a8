"""A command with all processes that it starts: how long, how much memory at once, how much of the processor (Linux)."""

import dataclasses
import os
import subprocess
import threading
import time

import psutil


@dataclasses.dataclass
class Measured:
    seconds: float
    """From its start to its end."""
    megabytes: float
    """The most memory that all processes held at once: pages that several share are counted once (PSS)."""
    processor_seconds: float
    """Of all processes; what one does in the last second of its life is not seen."""
    status: int
    said: str


def _memory(processes):
    total = 0
    for process in processes:
        try:
            with open(f"/proc/{process.pid}/smaps_rollup") as lines:
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total / 1000


def measure(command, cores, **options):
    """Runs a command on these cores. Its processes are all that descend from it, those too whose parents have ended."""
    most, known, times = 0.0, {}, {}
    begun = time.monotonic()
    process = subprocess.Popen(
        ["taskset", "-c", cores, *map(os.fspath, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    said = []
    reading = threading.Thread(target=lambda: said.append(process.stdout.read()))
    reading.start()
    known[process.pid] = psutil.Process(process.pid)
    while process.poll() is None:
        for one in list(known.values()):
            try:
                known.update((child.pid, child) for child in one.children())
            except psutil.NoSuchProcess:
                known.pop(one.pid, None)
        for one in known.values():
            try:
                times[one.pid] = sum(one.cpu_times()[:2])
            except psutil.NoSuchProcess:
                pass
        most = max(most, _memory(known.values()))
        # Counting pages takes processor time itself.
        time.sleep(1)
    seconds = time.monotonic() - begun
    reading.join()
    return Measured(seconds, most, sum(times.values()), process.returncode, said[0])
