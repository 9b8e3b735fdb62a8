"""Prints the reference values of the validation split, for the tests of `src/split.rs` and `tests/dataset/image_folder.rs`.

The values there were made with the Python package blake3 1.0.11 (`pip install blake3`), Python 3.11.7.
"""

import unicodedata

from blake3 import blake3

SEED = 0
FRACTION = 0.1
PATHS = [f"12.Eiffel_Tower/{i}.jpg" for i in range(6)] + ["été/nuit/1.png"]
# Classes that the positions alone would leave without a photo on one side.
SMALL_CLASSES = [[f"12.Eiffel_Tower/{i}.jpg" for i in photos] for photos in ([1, 2, 5], [0, 4], [0], [3])]


def position(path):
    key = SEED.to_bytes(8, "little") + unicodedata.normalize("NFC", path).encode()
    digest = blake3(key, derive_key_context="cairn-dataset 2026 validation split").digest(8)
    return int.from_bytes(digest, "little") / 2**64


def held_back(photos):
    """A class's photos below the fraction; one at least, but never all."""
    ordered = sorted(photos, key=position)
    below = sum(position(photo) < FRACTION for photo in ordered)
    return ordered[: min(max(below, 1), len(ordered) - 1)]


for path in PATHS:
    print(f'    ("{path}", {position(path):.6f}),')
for photos in SMALL_CLASSES:
    print(photos, "->", held_back(photos))
