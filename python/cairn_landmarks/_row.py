"""Rows of labels, with the columns of ``cairn label``."""

from __future__ import annotations

from typing import Any

from ._native import Landmark, Prediction


def row(name: str | None, labels: tuple[Prediction, int, int] | str) -> dict[str, Any]:
    """The row of a photo: what the model says of it and the size of its picture, or why it cannot be read."""
    if isinstance(labels, str):
        return unread(name, labels)
    prediction, width, height = labels
    shown = prediction.is_landmark is not False and prediction.landmarks
    return {
        "photo": name,
        "is_landmark": prediction.is_landmark,
        "landmark_score": prediction.landmark_score,
        **(_landmark(prediction.landmarks[0]) if shown else _NO_LANDMARK),
        "landmarks": [_landmark(landmark) for landmark in prediction.landmarks],
        "width": width,
        "height": height,
        "error": None,
    }


def unread(name: str | None, reason: str) -> dict[str, Any]:
    """The row of a photo that cannot be read."""
    unknown = {"is_landmark": None, "landmark_score": None, **_NO_LANDMARK}
    return {"photo": name, **unknown, "landmarks": [], "width": None, "height": None, "error": reason}


_NO_LANDMARK = dict.fromkeys(["class", "name", "probability", "latitude", "longitude"])


def _landmark(landmark: Landmark) -> dict[str, Any]:
    return {
        "class": landmark.class_,
        "name": landmark.name,
        "probability": landmark.probability,
        "latitude": landmark.latitude,
        "longitude": landmark.longitude,
    }
