"""The transformer works wherever scikit-learn puts one."""

import pickle

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks as checks

import cairn_landmarks as cairn
from cairn_landmarks.sklearn import LandmarkEmbedder


def test_a_pipeline_learns_from_photos_and_is_searched_copied_and_kept(photos):
    labels = np.array([0, 1, 0, 1, 0, 1])
    pipeline = make_pipeline(LandmarkEmbedder(views="none"), LogisticRegression(C=1e4))
    assert pipeline.fit(photos, labels).score(photos, labels) == 1
    kept = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(kept.predict_proba(photos), pipeline.predict_proba(photos))
    search = GridSearchCV(pipeline, {"landmarkembedder__views": ["none", "flip"]}, cv=2)
    search.fit([str(path) for path in photos], labels)
    assert set(search.best_params_) == {"landmarkembedder__views"}
    fresh = clone(pipeline)
    assert fresh.get_params()["landmarkembedder__views"] == "none"


def test_embeddings_are_those_of_the_model_and_have_names(photos):
    model = cairn.Model.open("shipped", views="none")
    embedder = LandmarkEmbedder(views="none")
    np.testing.assert_array_equal(embedder.transform(photos), model.embed(photos))
    assert len(embedder.get_feature_names_out()) == model.embed(photos[0]).shape[1]
    embedder.set_params(views="flip")
    assert not np.array_equal(embedder.transform(photos), model.embed(photos))


# Those that need no table of numbers: photos are none.
@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimator_cloneable,
        checks.check_estimator_repr,
        checks.check_estimator_tags_renamed,
        checks.check_no_attributes_set_in_init,
        checks.check_parameters_default_constructible,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_do_not_raise_errors_in_init_or_set_params,
    ],
    ids=lambda check: check.__name__,
)
def test_the_checks_of_scikit_learn_that_apply(check):
    check("LandmarkEmbedder", LandmarkEmbedder())
