"""The module and the program say the same of every photo. CAIRN names the program."""

import dataclasses
import json
import os
import subprocess

import numpy as np
import pytest

import cairn_landmarks as cairn


@pytest.fixture(scope="session")
def program():
    if "CAIRN" not in os.environ:
        pytest.skip("CAIRN does not name the program cairn")
    return os.environ["CAIRN"]


def test_real_photos_of_every_format_are_named_as_by_the_program(program, data):
    run = subprocess.run([program, "predict", data / "photos", "--format", "jsonl"], capture_output=True, text=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    model = cairn.Model.open("shipped")
    assert len(rows) > 20
    for row in rows:
        if "error" in row:
            with pytest.raises(cairn.PhotoError):
                model.predict_landmarks(row["photo"])
            continue
        for photo in [row["photo"], open(row["photo"], "rb").read()]:
            prediction = model.predict_landmarks(photo, 3)
            assert [landmark.class_ for landmark in prediction.landmarks] == [named["class"] for named in row["landmarks"]]
            found = np.array([landmark.probability for landmark in prediction.landmarks], np.float32)
            assert np.array_equal(found, np.array([named["probability"] for named in row["landmarks"]], np.float32))
            assert prediction.landmark_score == row["landmark_score"]


def test_a_test_gives_the_figures_of_the_program(program, data, tmp_path):
    # Three classes with three photos each; figures are compared, not reported.
    classes = sorted((data / "landmarks/train").iterdir())[:3]
    for folder in classes:
        (tmp_path / "test" / folder.name).mkdir(parents=True)
        for photo in sorted(folder.iterdir())[:3]:
            (tmp_path / "test" / folder.name / photo.name).symlink_to(photo)
    run = subprocess.run([program, "test", "shipped", tmp_path, "--json"], capture_output=True, text=True, check=True)
    expected = json.loads(run.stdout)
    found = cairn.Model.open("shipped").test(tmp_path)
    assert found.pop("unreadable") == []
    assert {key: expected[key] for key in found} == found


def test_a_training_ends_as_that_of_the_program(program, small_set, recipe, tmp_path):
    run = cairn.train(small_set, recipe=recipe, out=tmp_path / "here", seed=3)
    command = ["train", small_set, "--recipe", recipe, "--out", tmp_path / "there", "--seed", "3"]
    subprocess.run([program, *command], capture_output=True, check=True)
    there = cairn.Run.open(tmp_path / "there")
    times = {"train_seconds": 0, "photos_per_second": 0, "data_wait": 0}
    assert [dataclasses.replace(epoch, **times) for epoch in run.history] == [
        dataclasses.replace(epoch, **times) for epoch in there.history
    ]
    assert run.stopped == there.stopped
    # The picture of the report has the same curves.
    assert run.model.test(small_set) == there.model.test(small_set)
