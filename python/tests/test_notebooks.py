"""The example notebooks run from the first cell to the last, and show what they promise."""

import ast
import os
import shutil
import tempfile
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

from traitlets.config import Config

from conftest import REPOSITORY

NOTEBOOKS = REPOSITORY / "examples/notebooks"


@pytest.fixture
def folder(monkeypatch):
    """A folder to run in. Its path is short: sockets have names of at most 107 letters."""
    folder = Path(tempfile.mkdtemp(prefix="notebook-"))
    for variable, name in [("IPYTHONDIR", "ipython"), ("JUPYTER_RUNTIME_DIR", "runtime"), ("XDG_CACHE_HOME", "cache")]:
        (folder / name).mkdir()
        monkeypatch.setenv(variable, os.fspath(folder / name))
    for variable in ["PHOTOS", "MODEL", "JUPYTER_PATH"]:
        monkeypatch.delenv(variable, raising=False)
    yield folder
    shutil.rmtree(folder)


def executed(name, folder):
    """The notebook with its outputs."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    config = Config()
    if os.name == "posix":
        # Sockets that are files: a port that is free now may be another program's when the kernel takes it.
        config.ConnectionFileMixin.transport = "ipc"
        config.ConnectionFileMixin.ip = os.fspath(folder / "socket")
    place = {"metadata": {"path": os.fspath(folder)}}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=None, startup_timeout=600, resources=place, config=config
    ).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    return notebook


def outputs(notebook, media_type):
    """What its cells show of this type, in order."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    if media_type == "text":
        return "".join(output.text for output in shown if output.output_type == "stream" and output.name == "stdout")
    return [output.data[media_type] for output in shown if media_type in output.get("data", {})]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def check_predictions(notebook, photos):
    """What it says of each photo: names by photo."""
    lines = [line.split(": ", 1) for line in outputs(notebook, "text").splitlines() if ": [" in line]
    named = {photo: ast.literal_eval(names) for photo, names in lines}
    assert len(named) == photos and all(len(names) == 3 for names in named.values())
    sentences = [html.split("<p>")[1] for html in outputs(notebook, "text/html")]
    assert len(sentences) == min(photos, 4) + 1
    assert all(sentence.startswith(("This is ", "Is this a picture of ", "I don", "No landmark")) for sentence in sentences)
    batch, explanation = outputs(notebook, "image/png")
    assert batch != explanation
    return named


def test_the_notebook_of_predictions_names_drawn_photos(folder):
    check_predictions(executed("predict-landmarks.ipynb", folder), 6)


def test_the_notebook_of_predictions_names_real_photos(folder, data, monkeypatch):
    for place in sorted((data / "landmarks/test").iterdir())[:6]:
        photo = sorted(place.iterdir())[0]
        (folder / "photos" / place.name).mkdir(parents=True)
        (folder / "photos" / place.name / photo.name).symlink_to(photo.resolve())
    monkeypatch.setenv("PHOTOS", os.fspath(folder / "photos"))
    named = check_predictions(executed("predict-landmarks.ipynb", folder), 6)
    # A folder is called after its landmark: `12.Eiffel_Tower`.
    right = [photo.split("/")[0].split(".", 1)[1].replace("_", " ") in names for photo, names in named.items()]
    assert sum(right) >= 4, named


def test_the_tutorial_trains_tests_explains_and_learns(folder):
    notebook = executed("tutorial.ipynb", folder)
    said = outputs(notebook, "text")
    assert "epoch 1: training loss" in said and "of 60 test photos named right" in said
    assert said.count("before: ") == 4 and "Stone Circle: F1" in said
    (curves,) = outputs(notebook, "image/svg+xml")
    assert curves.startswith("<svg") and "validation" in curves
    # The batch, and the explanation.
    assert len(outputs(notebook, "image/png")) == 2
    assert len(outputs(notebook, "text/html")) == 1
    assert "'Lighthouse'" in outputs(notebook, "text/plain")[-1]
    assert {"curves.png", "my-model.safetensors"} <= {path.name for path in (folder / "tutorial").iterdir()}
