"""A transformer for scikit-learn: from photos to embeddings.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from cairn_landmarks.sklearn import LandmarkEmbedder
>>> classifier = make_pipeline(LandmarkEmbedder(), LogisticRegression())
>>> classifier.fit(paths, labels)
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin  # type: ignore[import-untyped]

from . import Model, Photo


class LandmarkEmbedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """From photos (paths, bytes, PIL images or arrays) to embeddings, float32 of ``[photos, features]``.

    ``model`` and ``views`` are as of :meth:`cairn_landmarks.Model.open`. There is nothing to fit: the model is trained already.
    """

    def __init__(self, model: str | os.PathLike[str] = "shipped", *, views: str | None = None) -> None:
        self.model = model
        self.views = views

    def fit(self, X: Iterable[Photo], y: Any = None) -> LandmarkEmbedder:
        """Does nothing but open the model."""
        self._opened()
        return self

    def transform(self, X: Iterable[Photo]) -> npt.NDArray[np.float32]:
        """The photos' embeddings."""
        return self._opened().embed(list(X))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """``landmark0``, ``landmark1``, ..."""
        count = self._opened().embed(np.zeros((32, 32, 3), np.uint8)).shape[1]
        return np.array([f"landmark{place}" for place in range(count)], dtype=object)

    def _opened(self) -> Model:
        wanted = (os.fspath(self.model), self.views)
        opened: tuple[Any, Model] | None = getattr(self, "_model", None)
        if opened is None or opened[0] != wanted:
            opened = (wanted, Model.open(self.model, views=self.views))  # type: ignore[arg-type]
            self._model = opened
        return opened[1]

    def __getstate__(self) -> dict[str, Any]:
        # A model is opened where it is used: in another process, its weights come from the file.
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_model"}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
