"""Names the landmark in a photo.

>>> import cairn_landmarks as cairn
>>> cairn.predict_landmarks("paris.jpg", 3)
['Eiffel Tower', 'Space Needle', 'Gateway Arch']

A photo is a path, the bytes of a file, a PIL image, or an array of uint8, ``[height, width, 3]`` (RGB) or ``[height, width]``.
A photo that cannot be read raises :class:`PhotoError`, whose message begins with the path.
"""

from __future__ import annotations

import base64
import html
import json
import os
import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from . import _native
from ._native import Landmark, ModelError, PhotoError, Prediction, __version__

__all__ = [
    "Landmark",
    "Model",
    "ModelError",
    "PhotoError",
    "Prediction",
    "ShownBatch",
    "Suggestion",
    "__version__",
    "predict_landmarks",
    "show_batch",
    "suggest_locations",
]


class PilImage(Protocol):
    """What is used of a PIL image."""

    mode: str

    def convert(self, mode: str) -> Any: ...
    def tobytes(self) -> bytes: ...


Photo: TypeAlias = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, PilImage, npt.NDArray[np.uint8]]
Views: TypeAlias = Literal["none", "flip", "three-crop", "six-crop", "five-crop", "ten-crop"]
_Source: TypeAlias = Union[str, bytes, "tuple[int, int, bytes]"]


def _source(photo: Photo) -> _Source:
    """The photo as the native code takes it."""
    if isinstance(photo, (str, os.PathLike)):
        return os.fspath(photo)
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, (bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8:
            raise TypeError(f"pixels are uint8, from 0 to 255, not {photo.dtype}")
        if photo.ndim == 2:
            photo = np.repeat(photo[:, :, None], 3, axis=2)
        if photo.ndim != 3 or photo.shape[2] != 3:
            raise ValueError(f"an array of pixels is [height, width, 3] or [height, width], not {list(photo.shape)}")
        height, width, _ = photo.shape
        return width, height, photo.tobytes()
    if hasattr(photo, "convert") and hasattr(photo, "size"):
        return _of_pil(photo)
    raise TypeError(f"a photo is a path, bytes, a PIL image or an array, not {type(photo).__name__}")


def _of_pil(image: Any) -> _Source:
    """An upright RGB image, transparency laid on white: as photos are read from files."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image)
    image = image.convert("RGB")
    width, height = image.size
    return width, height, image.tobytes()


def _is_one(photos: Photo | Iterable[Photo]) -> bool:
    if isinstance(photos, np.ndarray):
        return photos.ndim <= 3
    return isinstance(photos, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(photos, "convert")


def _sources(photos: Photo | Iterable[Photo]) -> list[_Source]:
    """The photos of a list, or of one photo."""
    if _is_one(photos):
        return [_source(photos)]  # type: ignore[arg-type]
    return [_source(photo) for photo in photos]  # type: ignore[union-attr, arg-type]


class Model:
    """A model that names landmarks. Threads may share one; open it after a process has forked."""

    def __init__(self, native: _native.Model) -> None:
        self._native = native

    @classmethod
    def open(
        cls,
        source: str | os.PathLike[str] | bytes = "shipped",
        *,
        threshold: float | None = None,
        sure: bool = False,
        views: Views | None = None,
        precision: Literal["f32", "bf16"] | None = None,
        threads: int | None = None,
    ) -> Model:
        """Opens ``"shipped"`` (the model that comes with the package), a model file, a run folder, or a file's bytes.

        ``threshold`` is the score from which on a photo is taken to show a landmark; ``sure`` takes the model's own threshold
        for sure answers. ``views`` are averaged for each photo. Each is the model's own where it is not given.
        """
        place = source if isinstance(source, bytes) else os.fspath(source)
        return cls(_native.Model.open(place, threshold, sure, views, precision, threads))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to a file: whole, or not at all."""
        self._native.save(os.fspath(path))

    @property
    def classes_(self) -> npt.NDArray[np.str_]:
        """The landmarks' names, in the order of the columns of :meth:`predict_proba`."""
        return np.array([name for _, name in self._native.classes()], dtype=np.str_)

    @property
    def class_folders(self) -> list[str]:
        """The classes as folders of a data set name them, such as ``12.Eiffel_Tower``."""
        return [folder for folder, _ in self._native.classes()]

    def predict_landmarks(self, photo: Photo, k: int = 3) -> Prediction:
        """The ``k`` likeliest landmarks, and whether the photo shows one at all.

        (The function :func:`predict_landmarks` gives the names alone.)
        """
        if k < 1:
            raise ValueError("k is at least 1")
        return self._native.predict(_source(photo), k)

    def suggest_locations(self, photo: Photo) -> Suggestion:
        """The photo, with a sentence on what it shows; notebooks show both."""
        return Suggestion(self._native.suggest(_source(photo)))

    def predict_proba(
        self, photos: Photo | Iterable[Photo], *, errors: Literal["raise", "row"] = "raise"
    ) -> npt.NDArray[np.float32]:
        """Probabilities, float32 of ``[photos, classes]``; the same as those of ``cairn predict``.

        ``errors="row"`` makes a photo that cannot be read a row of NaN, in place of an exception.
        """
        return self._rows(self._native.probabilities, photos, errors, len(self._native.classes()))

    def embed(
        self, photos: Photo | Iterable[Photo], *, errors: Literal["raise", "row"] = "raise"
    ) -> npt.NDArray[np.float32]:
        """Embeddings, float32 of ``[photos, features]``, each of length 1: photos that look alike are close by cosine."""
        return self._rows(self._native.embeddings, photos, errors, 0)

    def _rows(self, native: Any, photos: Photo | Iterable[Photo], errors: str, columns: int) -> npt.NDArray[np.float32]:
        if errors not in ("raise", "row"):
            raise ValueError(f'errors is "raise" or "row", not {errors!r}')
        numbers, rows, bad = native(_sources(photos), errors == "raise")
        values: npt.NDArray[np.float32] = np.frombuffer(numbers, dtype=np.float32)
        if len(bad) == rows:
            return np.full((rows, columns), np.nan, dtype=np.float32)
        return values.reshape(rows, -1)

    def explain(self, photo: Photo, landmark: str | None = None) -> npt.NDArray[np.float32]:
        """Which part of the photo spoke for a landmark (the likeliest, unless it is named): float32 of ``[height, width]``,
        from 0 to 1 (Grad-CAM, over all views of the model)."""
        numbers, height, width = self._native.explain(_source(photo), landmark)
        values: npt.NDArray[np.float32] = np.frombuffer(numbers, dtype=np.float32)
        return values.reshape(height, width)

    def learn(self, name: str, photos: Photo | Iterable[Photo]) -> Model:
        """A new model that knows one landmark more, from a few photos of it, without training. This one stays as it is."""
        return Model(self._native.learn(name, _sources(photos)))

    def test(self, data: str | os.PathLike[str]) -> dict[str, Any]:
        """Accuracy and other figures on the test photos of a data set, as ``cairn test --json`` has them.

        ``"unreadable"`` lists the photos that could not be read.
        """
        figures, bad = self._native.test(os.fspath(data))
        result: dict[str, Any] = json.loads(figures)
        result["unreadable"] = bad
        return result

    def __repr__(self) -> str:
        return f"Model({len(self._native.classes())} landmarks)"


class Suggestion:
    """A photo, and what it shows. Notebooks show both; ``str`` is the sentence."""

    def __init__(self, native: _native.Suggestion) -> None:
        self.sentence: str = native.sentence
        """"This is the Eiffel Tower (99.5%).", or a question where the model is not sure."""
        self.prediction: Prediction = native.prediction
        """What the model says."""
        self.thumbnail: bytes = native.thumbnail
        """A small JPEG of the photo, upright."""

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"Suggestion({self.sentence!r})"

    def _repr_html_(self) -> str:
        photo = base64.b64encode(self.thumbnail).decode()
        return f'<img alt="" src="data:image/jpeg;base64,{photo}"><p>{html.escape(self.sentence)}</p>'


class ShownBatch:
    """A picture of photos with their labels; notebooks show it."""

    def __init__(self, png: bytes) -> None:
        self.png = png

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture as a PNG."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png


@lru_cache(maxsize=1)
def _shipped() -> Model:
    return Model.open("shipped")


def predict_landmarks(img_path: Photo, k: int) -> list[str]:
    """The names of the ``k`` likeliest landmarks, the likeliest first, by the model that comes with the package.

    (The method :meth:`Model.predict_landmarks` gives probabilities and places too.)
    """
    return [landmark.name for landmark in _shipped().predict_landmarks(img_path, k).landmarks]


def suggest_locations(img_path: Photo) -> Suggestion:
    """The photo, with "This is ..." or "Is this a picture of ...?", by the model that comes with the package."""
    return _shipped().suggest_locations(img_path)


_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic")


def show_batch(folder: str | os.PathLike[str], n: int = 16, *, columns: int = 4, seed: int = 0) -> ShownBatch:
    """``n`` photos of a folder of class folders (``train/12.Eiffel_Tower/a.jpg``), each over its label."""
    root = Path(folder)
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS and not path.name.startswith("."))
    if not paths:
        raise PhotoError(f"{root}: there are no photos in it")
    chosen: Sequence[Path] = random.Random(seed).sample(paths, min(n, len(paths)))
    labels = [path.parent.name.split(".", 1)[-1].replace("_", " ") for path in chosen]
    return ShownBatch(_native.montage([(os.fspath(path), label) for path, label in zip(chosen, labels)], columns, 160))
