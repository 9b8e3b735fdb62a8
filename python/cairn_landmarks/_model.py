"""Models that name landmarks."""

from __future__ import annotations

import base64
import html
import json
import os
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _native
from ._native import Prediction
from ._photo import Photo, native_photo, native_photos
from ._picture import Picture
from ._row import row

Views: TypeAlias = Literal["none", "flip", "three-crop", "six-crop", "five-crop", "ten-crop"]
Precision: TypeAlias = Literal["f32", "bf16"]


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
        precision: Precision | None = None,
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
        return self._native.predict(native_photo(photo), k)

    def suggest_locations(self, photo: Photo) -> Suggestion:
        """The photo, with a sentence on what it shows; notebooks show both."""
        return Suggestion(self._native.suggest(native_photo(photo)))

    def predict_proba(
        self, photos: Photo | Iterable[Photo], *, errors: Literal["raise", "row"] = "raise"
    ) -> npt.NDArray[np.float32]:
        """Probabilities, float32 of ``[photos, classes]``; the same as those of ``cairn predict``.

        ``errors="row"`` makes a photo that cannot be read a row of NaN, in place of an exception.
        """
        return self._rows(self._native.probabilities, photos, errors, len(self._native.classes()))

    def label(
        self, photos: Photo | Iterable[Photo], *, names: Iterable[str | None] | None = None, k: int = 3
    ) -> list[dict[str, Any]]:
        """A row for each photo, with the columns of ``cairn label``: the landmark that it shows, and the ``k`` likeliest.

        ``photo`` is the photo's path, or its name in ``names``. A photo that cannot be read is a row with an ``error``. A disk or
        network that fails is not the photo's fault: it raises ``OSError``, so that an engine tries the batch again.
        """
        if k < 1:
            raise ValueError("k is at least 1")
        sources = native_photos(photos)
        if names is None:
            names = [source if isinstance(source, str) else None for source in sources]
        labelled = self._native.label(sources, k)
        return [row(name, labels) for name, labels in zip(names, labelled, strict=True)]

    def embed(
        self, photos: Photo | Iterable[Photo], *, errors: Literal["raise", "row"] = "raise"
    ) -> npt.NDArray[np.float32]:
        """Embeddings, float32 of ``[photos, features]``, each of length 1: photos that look alike are close by cosine."""
        return self._rows(self._native.embeddings, photos, errors, 0)

    def _rows(self, native: Any, photos: Photo | Iterable[Photo], errors: str, columns: int) -> npt.NDArray[np.float32]:
        if errors not in ("raise", "row"):
            raise ValueError(f'errors is "raise" or "row", not {errors!r}')
        numbers, rows, bad = native(native_photos(photos), errors == "raise")
        values: npt.NDArray[np.float32] = np.frombuffer(numbers, dtype=np.float32)
        if len(bad) == rows:
            return np.full((rows, columns), np.nan, dtype=np.float32)
        return values.reshape(rows, -1)

    def explain(self, photo: Photo, landmark: str | None = None) -> npt.NDArray[np.float32]:
        """Which part of the photo spoke for a landmark (the likeliest, unless it is named): float32 of ``[height, width]``,
        from 0 to 1 (Grad-CAM, over all views of the model)."""
        numbers, height, width = self._native.explain(native_photo(photo), landmark)
        values: npt.NDArray[np.float32] = np.frombuffer(numbers, dtype=np.float32)
        return values.reshape(height, width)

    def show_explanation(self, photo: Photo, landmark: str | None = None) -> Picture:
        """The photo, and the same under the colours of :meth:`explain`; notebooks show both."""
        return Picture(self._native.show_explanation(native_photo(photo), landmark))

    def calibrate(
        self, data: str | os.PathLike[str], *, distractors: Iterable[str | os.PathLike[str]] = ()
    ) -> Model:
        """A new model, calibrated on the data set that it was trained on, as by ``cairn calibrate``. This one stays as it is.

        Its probabilities say how often it is right, it knows photos that show none of its landmarks, and it can
        :meth:`learn`. ``distractors`` are folders of photos without its landmarks, one for each kind (house fronts, rooms).
        Photos that cannot be read are left out, with a warning that names them.
        """
        native, bad = self._native.calibrate(os.fspath(data), [os.fspath(kind) for kind in distractors])
        if bad:
            warnings.warn("photos that could not be read were left out: " + "; ".join(bad), stacklevel=2)
        return Model(native)

    def learn(self, name: str, photos: Photo | Iterable[Photo]) -> Model:
        """A new model that knows one landmark more, from a few photos of it, without training. This one stays as it is.

        A model of :func:`train` learns once it is calibrated (:meth:`calibrate`).
        """
        return Model(self._native.learn(name, native_photos(photos)))

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
