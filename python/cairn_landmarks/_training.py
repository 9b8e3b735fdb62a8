"""Training, and what it leaves."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from . import _native
from ._model import Model, Precision


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch. ``str`` is a line; a list of them is what ``pandas.DataFrame`` takes."""

    epoch: int
    """Counted from 1."""
    learning_rate: float
    """At the epoch's last step."""
    train_loss: float
    """Mean loss over the training photos, augmented and with label smoothing, in nats."""
    train_accuracy: float
    """Share of them named right, from 0 to 1."""
    valid_loss: float
    """Mean cross-entropy on the validation photos, in nats."""
    valid_accuracy: float
    """Share of them named right, from 0 to 1."""
    valid_macro_f1: float
    """Macro F1 on them, from 0 to 1."""
    best: bool
    """Whether the validation loss is the lowest so far, so that the model was saved."""
    train_seconds: float
    """Seconds of training, validation not counted."""
    photos_per_second: float
    """Training photos a second, loading included."""
    data_wait: float
    """Share of the training time spent waiting for photos, from 0 to 1."""
    bad_photos: int
    """Photos that could not be read, validation included."""

    def __str__(self) -> str:
        saved = ", the lowest so far: saved" if self.best else ""
        return (
            f"epoch {self.epoch}: training loss {self.train_loss:.4f}, {self.train_accuracy:.1%} right; "
            f"validation loss {self.valid_loss:.4f}, {self.valid_accuracy:.1%} right{saved}"
        )


def _epoch(figures: dict[str, Any]) -> Epoch:
    # JSON has no word for what is not a number.
    numbers: dict[str, Any] = {name: math.nan if value is None else value for name, value in figures.items()}
    return Epoch(**numbers)


class Plot:
    """The curves of a run: loss and accuracy, in training and in validation. Notebooks show them."""

    def __init__(self, native: _native.Run) -> None:
        self._native = native
        self.svg: str = native.curves()
        """The picture as an SVG document."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture as an SVG or a PNG, as the file's name ends."""
        self._native.save_curves(os.fspath(path))

    def _repr_svg_(self) -> str:
        return self.svg


class Run:
    """What a training left: a folder with the model, the curves and a checkpoint, as ``cairn train`` writes it."""

    def __init__(self, native: _native.Run) -> None:
        self._native = native
        self.path = Path(native.path)
        """The run folder."""
        self.history: list[Epoch] = [_epoch(figures) for figures in json.loads(native.history)]
        """The figures of every epoch, those before a resume included."""
        self.stopped: Literal["epochs", "minutes", "early-stopping", "interrupted", "diverged"] | None = native.stopped
        """Why the training ended; ``None`` of a run that was opened and has not ended yet."""
        self.bad_photos: list[str] = native.bad_photos
        """The photos that this training could not read, each with why: ``PATH: WHY``."""

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Opens a run folder, whoever made it."""
        return cls(_native.Run.open(os.fspath(path)))

    @property
    def best(self) -> Epoch | None:
        """The epoch with the lowest validation loss, whose model was kept; ``None`` before the first has ended."""
        best = self._native.best_epoch
        return next((epoch for epoch in self.history if epoch.epoch == best), None)

    @cached_property
    def model(self) -> Model:
        """The model of the best epoch."""
        return Model.open(self.path)

    def plot(self) -> Plot:
        """The curves of loss and accuracy."""
        return Plot(self._native)

    def __repr__(self) -> str:
        best = self.best
        told = f", best {best.epoch}: {best.valid_accuracy:.1%} of the validation photos" if best else ""
        return f"Run({os.fspath(self.path)!r}, {len(self.history)} epochs{told})"


def plot(run: Run | str | os.PathLike[str]) -> Plot:
    """The curves of a run, or of a run folder: loss and accuracy, in training and in validation."""
    return (run if isinstance(run, Run) else Run.open(run)).plot()


def train(
    data: str | os.PathLike[str] | None = None,
    *,
    recipe: str | os.PathLike[str] = "quick",
    out: str | os.PathLike[str] | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    batch: int | None = None,
    weights: str | os.PathLike[str] | None = None,
    precision: Precision | None = None,
    seed: int | None = None,
    cache: Literal["auto", "ram", "disk", "off"] = "auto",
    resume: Run | str | os.PathLike[str] | None = None,
    on_epoch: Callable[[Epoch], object] | None = None,
) -> Run:
    """Trains a network on a folder of labelled photos, as ``cairn train`` does, on the processor.

    ``data`` is the folder: ``train/CLASS/PHOTO``, and ``valid`` and ``test`` alike if there are any. ``recipe`` is one that
    comes with cairn, or a TOML file; ``epochs``, ``minutes``, ``batch``, ``weights`` (a file, or ``"imagenet"``),
    ``precision`` and ``seed`` take the place of its own. ``out`` is the run folder to make, by default the first free one of
    ``runs/RECIPE-N``. ``cache`` says where decoded photos are kept from epoch to epoch.

    ``resume`` continues a run from its last checkpoint, by its own recipe; ``data`` is then needed only if the photos have
    moved.

    ``on_epoch`` is called with the figures of each epoch (``on_epoch=print`` prints them). An exception that it raises stops
    the training, saves it and comes through. Ctrl-C, or "interrupt" in a notebook, does the same after the batch in hand, and
    raises KeyboardInterrupt; only the main thread gets it. Either is resumed by ``resume``.

    Photos that cannot be read are left out, counted in each :class:`Epoch`, named by :attr:`Run.bad_photos`, and warned of.
    Other threads run meanwhile.
    """
    call = None if on_epoch is None else lambda figures: on_epoch(_epoch(json.loads(figures)))
    folder = None if data is None else os.fspath(data)
    if resume is not None:
        own = {"recipe": recipe if recipe != "quick" else None, "out": out, "epochs": epochs, "minutes": minutes}
        own |= {"batch": batch, "weights": weights, "precision": precision, "seed": seed}
        given = [name for name, value in own.items() if value is not None]
        if given:
            raise ValueError(f"a run is resumed by its own recipe, in its own folder: leave out {', '.join(given)}")
        path = resume.path if isinstance(resume, Run) else resume
        native = _native.resume(os.fspath(path), folder, cache, call)
    else:
        if folder is None:
            raise ValueError("give the folder of a data set, or a run to resume")
        plan: _native._Plan = {
            "data": folder,
            "recipe": os.fspath(recipe),
            "out": None if out is None else os.fspath(out),
            "epochs": epochs,
            "minutes": minutes,
            "batch": batch,
            "weights": None if weights is None else os.fspath(weights),
            "precision": precision,
            "seed": seed,
        }
        native = _native.train(plan, cache, call)
    _warn(native)
    error = native.error
    if error is not None:
        if native.stopped == "interrupted" and hasattr(error, "add_note"):
            error.add_note(f"The training is saved; train(resume={os.fspath(native.path)!r}) continues it.")
        raise error
    return Run(native)


def _warn(native: _native.Run) -> None:
    lines = list(native.warnings)
    bad = native.bad_photos
    if bad:
        more = f" (and {len(bad) - 1} more: Run.bad_photos names them)" if len(bad) > 1 else ""
        lines.append(f"{len(bad)} of the photos could not be read and were left out: {bad[0]}{more}")
    for line in lines:
        warnings.warn(line, stacklevel=3)
