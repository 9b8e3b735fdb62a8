"""Folders of photos: looked at, and drawn."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from . import _native
from ._native import PhotoError
from ._picture import Picture

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic")


def show_batch(folder: str | os.PathLike[str], n: int = 16, *, columns: int = 4, seed: int = 0) -> Picture:
    """``n`` photos of a folder of class folders (``train/12.Eiffel_Tower/a.jpg``), each over its label."""
    root = Path(folder)
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS and not path.name.startswith("."))
    if not paths:
        raise PhotoError(f"{root}: there are no photos in it")
    chosen: Sequence[Path] = random.Random(seed).sample(paths, min(n, len(paths)))
    labels = [path.parent.name.split(".", 1)[-1].replace("_", " ") for path in chosen]
    return Picture(_native.montage([(os.fspath(path), label) for path, label in zip(chosen, labels)], columns, 160))


def demo_photos(
    folder: str | os.PathLike[str],
    *,
    classes: int | Sequence[str] = 8,
    train: int = 90,
    test: int = 20,
    side: int = 112,
    seed: int = 1,
) -> Path:
    """Draws the data set of ``cairn demo``: photos of made-up landmarks, to try things out without a download.

    ``classes`` says how many kinds of landmarks, or which, by their names ("Lighthouse", "Stone Circle"). Each has ``train``
    photos in ``folder/train`` and ``test`` in ``folder/test``, ``side`` pixels on the longer side. Returns the folder. One
    that holds these very photos stays as it is; one that holds anything else is refused.
    """
    kinds = _native.drawn_kinds()
    if isinstance(classes, int):
        if not 1 <= classes <= len(kinds):
            raise ValueError(f"there are 1 to {len(kinds)} made-up landmarks, not {classes}")
        classes = kinds[:classes]
    _native.draw(os.fspath(folder), list(classes), train, test, side, seed)
    return Path(folder)
