"""Prints the reference values of the validation split, for the tests of `src/split.rs`.

The values there were made with the Python package blake3 1.0.11 (`pip install blake3`), Python 3.11.7.
"""

from blake3 import blake3

SEED = 0
PATHS = [f"12.Eiffel_Tower/{i}.jpg" for i in range(6)] + ["été/nuit/1.png"]

for path in PATHS:
    key = SEED.to_bytes(8, "little") + path.encode()
    digest = blake3(key, derive_key_context="cairn-dataset 2026 validation split").digest(8)
    position = int.from_bytes(digest, "little") / 2**64
    print(f'    ("{path}", {position:.6f}),')
