"""Labels of the module, and of engines that call it, are the rows of `cairn label` and `cairn predict`. CAIRN names the program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cairn_landmarks as cairn

from conftest import REPOSITORY

ENGINES = REPOSITORY / "examples/engines"


def test_rows_say_what_predictions_say_and_why_photos_cannot_be_read(model, photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    wanted = [photos[0], photos[1].read_bytes(), broken, tmp_path / "gone.jpg"]
    first, second, *bad = model.label(wanted, k=2)
    prediction = model.predict_landmarks(photos[0], 2)
    assert first["photo"] == str(photos[0]) and second["photo"] is None
    assert (first["width"], first["height"], first["error"]) == (320, 240, None)
    assert first["landmark_score"] == prediction.landmark_score and first["is_landmark"] == prediction.is_landmark
    assert [named["class"] for named in first["landmarks"]] == [named.class_ for named in prediction.landmarks]
    assert first["landmarks"][0]["probability"] == prediction.landmarks[0].probability
    assert [row["error"] for row in bad] == ["text, not a photo", "no such file"]
    assert all(row["landmarks"] == [] and row["width"] is None and row["name"] is None for row in bad)
    # A photo that shows none of the landmarks is given no name.
    strict = cairn.Model.open(threshold=1.1, views="none")
    (row,) = strict.label(photos[0])
    assert row["is_landmark"] is False and row["name"] is None and row["landmarks"][0]["name"]
    named = model.label([photos[0].read_bytes()], names=["a"])
    assert named[0]["photo"] == "a" and named[0]["landmarks"][:2] == first["landmarks"]
    with pytest.raises(ValueError):
        model.label(photos, names=["a"])
    with pytest.raises(ValueError):
        model.label(photos, k=0)


@pytest.fixture(scope="module")
def arrow():
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed: tables are not compared")


@pytest.fixture(scope="module")
def folder(photos, tmp_path_factory):
    """A folder of photos, one broken, and lists of them and of one that is not there."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "photos").mkdir()
    for path in photos:
        shutil.copy(path, folder / "photos")
    (folder / "photos" / "broken.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture(scope="module")
def expected(arrow, folder):
    """The table of `cairn label`, and the rows of `cairn predict`."""
    import pyarrow.parquet as parquet

    from cairn_landmarks.arrow import SCHEMA

    if "CAIRN" not in os.environ:
        pytest.skip("CAIRN does not name the program cairn")
    names = [str(path) for path in sorted((folder / "photos").iterdir())] + [str(folder / "photos/gone.jpg")]
    parquet.write_table(arrow.table({"photo": names}), folder / "list.parquet")
    run = subprocess.run([os.environ["CAIRN"], "label", folder / "list.parquet", "-o", folder / "labels"], capture_output=True)
    # Two photos cannot be read.
    assert run.returncode == 2, run.stderr
    table = parquet.read_table(sorted((folder / "labels").glob("part-*.parquet"))[0])
    assert table.column_names == SCHEMA.names and table["photo"].to_pylist() == names
    run = subprocess.run([os.environ["CAIRN"], "predict", *names, "--format", "jsonl"], capture_output=True, text=True)
    rows = {row["photo"]: row for row in map(json.loads, run.stdout.splitlines())}
    for row in table.to_pylist():
        predicted = rows[row["photo"]]
        assert row["landmark_score"] == predicted.get("landmark_score"), row
        assert [named["class"] for named in row["landmarks"]] == [
            named["class"] for named in predicted.get("landmarks", [])
        ]
    return table.cast(SCHEMA)


def test_a_table_of_the_module_is_that_of_the_program(arrow, expected, folder):
    from cairn_landmarks.arrow import label

    model = cairn.Model.open("shipped")
    names = expected["photo"].to_pylist()
    assert label(model, arrow.table({"photo": names})).equals(expected)
    assert label(model, arrow.RecordBatch.from_pydict({"path": names})).equals(expected)
    contents = [Path(name).read_bytes() if Path(name).exists() else None for name in names]
    table = label(model, arrow.table({"photo": [*names[:-1], None], "bytes": contents}))
    assert table[:-1].equals(expected[:-1])
    assert table["error"].to_pylist()[-1] == "the list names no photo here"
    assert label(model, arrow.table({"bytes": contents[:1]}))["photo"].to_pylist() == [None]
    assert label(model, arrow.table({"photo": arrow.array([], "string")})).equals(expected[:0])
    with pytest.raises(ValueError, match="`photo`, `path` or `bytes`; the batch has name"):
        label(model, arrow.table({"name": names}))


def run_script(name, folder, source, out, environment=None):
    """The labels that a script of the examples wrote, by photo."""
    import pyarrow.parquet as parquet

    command = [sys.executable, ENGINES / name, source, out]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    assert run.returncode == 0, run.stdout + run.stderr
    return parquet.read_table(out).sort_by("photo")


def check_engine(name, folder, expected, environment=None, photos="photos"):
    """What a script writes of a list, and of a folder or pattern of photos."""
    from cairn_landmarks.arrow import SCHEMA

    of_list = run_script(name, folder, f"{folder}/list.parquet", f"{folder}/{name}-list", environment)
    assert of_list.cast(SCHEMA).equals(expected.sort_by("photo"))
    of_folder = run_script(name, folder, f"{folder}/{photos}", f"{folder}/{name}-folder", environment).cast(SCHEMA)
    # Engines name files by their addresses, and what is not there is in no folder.
    names = [name.removeprefix("file://").removeprefix("file:") for name in of_folder["photo"].to_pylist()]
    of_folder = of_folder.set_column(0, SCHEMA.field("photo"), [names])
    wanted = expected.filter([name in names for name in expected["photo"].to_pylist()])
    assert of_folder.sort_by("photo").equals(wanted.sort_by("photo")) and len(wanted) == len(expected) - 1


def test_daft_labels_as_the_program_does(arrow, expected, folder):
    pytest.importorskip("daft", reason="daft is not installed: the example for Daft is not run")
    check_engine("label_with_daft.py", folder, expected, photos="photos/*")


def test_ray_labels_as_the_program_does(arrow, expected, folder):
    pytest.importorskip("ray.data", reason="ray is not installed: the example for Ray Data is not run")
    check_engine("label_with_ray.py", folder, expected, {"RAY_USAGE_STATS_ENABLED": "0"})


def test_spark_labels_as_the_program_does(arrow, expected, folder):
    pytest.importorskip("pyspark.sql", reason="pyspark is not installed: the example for Spark is not run")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java: the example for Spark is not run")
    check_engine("label_with_spark.py", folder, expected, {"PYSPARK_PYTHON": sys.executable})
