"""A training runs, reports, stops, is saved and continued, and its curves are shown."""

import dataclasses
import json
import os
import signal
import sys
import threading
import time
import warnings
import xml.etree.ElementTree
from pathlib import Path

import pytest
from PIL import Image

import cairn_landmarks as cairn

# Figures of an epoch that depend on the clock.
TIMES = {"train_seconds": 0, "photos_per_second": 0, "data_wait": 0}


def timeless(history):
    return [dataclasses.replace(epoch, **TIMES) for epoch in history]


@pytest.fixture(scope="module")
def run(small_set, recipe, tmp_path_factory):
    return cairn.train(small_set, recipe=recipe, out=tmp_path_factory.mktemp("runs") / "run")


def test_the_callback_gets_every_epoch_and_the_run_has_them_all(small_set, recipe, tmp_path):
    seen = []
    run = cairn.train(small_set, recipe=recipe, out=tmp_path / "run", epochs=3, on_epoch=seen.append)
    assert run.history == seen and [epoch.epoch for epoch in seen] == [1, 2, 3]
    assert run.stopped == "epochs" and run.bad_photos == [] and run.path == tmp_path / "run"
    lowest = min(seen, key=lambda epoch: epoch.valid_loss)
    assert run.best == lowest and run.best.best
    for epoch in seen:
        assert 0 <= epoch.valid_accuracy <= 1 and 0 <= epoch.train_accuracy <= 1
        assert epoch.train_loss > 0 and epoch.valid_loss > 0 and epoch.learning_rate > 0
        assert str(epoch).startswith(f"epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}")
    # As the command writes it: the same epochs, and the model among the files.
    written = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert written == [dataclasses.asdict(epoch) for epoch in seen]
    assert {"best.safetensors", "checkpoint.safetensors", "recipe.toml", "run.json", "loss.svg"} <= {
        path.name for path in run.path.iterdir()
    }
    assert "3 epochs" in repr(run)


def test_the_model_of_a_run_names_its_classes(run, small_set):
    assert list(run.model.classes_) == ["Pyramid", "Dome", "Lighthouse"]
    figures = run.model.test(small_set)
    assert figures["total"] == 12 and figures["unreadable"] == []
    assert run.model is run.model


def test_a_run_is_opened_from_its_folder(run, tmp_path):
    for place in [run.path, str(run.path)]:
        opened = cairn.Run.open(place)
        assert opened.history == run.history and opened.best == run.best and opened.stopped == "epochs"
        assert opened.plot().svg == run.plot().svg == cairn.plot(place).svg == cairn.plot(opened).svg
    for wrong in [tmp_path, tmp_path / "gone"]:
        with pytest.raises(cairn.TrainError, match="not a run folder"):
            cairn.Run.open(wrong)


def test_curves_are_shown_as_svg_and_kept_as_svg_or_png(run, tmp_path):
    plot = run.plot()
    assert plot._repr_svg_() == plot.svg
    document = xml.etree.ElementTree.fromstring(plot.svg)
    texts = [text.strip() for text in document.itertext() if text.strip()]
    for wanted in ["Loss", "Accuracy", f"best epoch {run.best.epoch}"]:
        assert wanted in texts
    assert texts.count("training") == texts.count("validation") == 2
    plot.save(tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text() == plot.svg
    plot.save(str(tmp_path / "curves.png"))
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1840, 640)
    with pytest.raises(ValueError, match="png or .svg"):
        plot.save(tmp_path / "curves.pdf")
    with pytest.raises(OSError, match="nowhere"):
        plot.save(tmp_path / "nowhere/curves.svg")


def test_options_take_the_place_of_the_recipes(small_set, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"epochs": 1, "batch": 4, "seed": 7, "precision": "f32", "minutes": 500, "cache": "off"}
    first = cairn.train(small_set, recipe=recipe, **options)
    assert first.path == Path("runs/tiny-1") and len(first.history) == 1
    written = (first.path / "recipe.toml").read_text()
    for line in ["epochs = 1", "batch = 4", "seed = 7", 'precision = "f32"', "minutes = 500"]:
        assert line in written
    # Where the first one ended, this one begins.
    second = cairn.train(small_set, recipe=recipe, epochs=1, seed=7, weights=first.path / "best.safetensors")
    assert second.path == Path("runs/tiny-2") and "best.safetensors" in (second.path / "recipe.toml").read_text()
    assert second.history[0].valid_loss != first.history[0].valid_loss


def test_an_exception_of_the_callback_stops_comes_through_and_the_run_is_resumed_as_if_nothing_had_been(
    run, small_set, recipe, tmp_path
):
    class Enough(Exception):
        pass

    def stop_after_the_first(epoch):
        raise Enough(epoch.epoch)

    out = tmp_path / "run"
    with pytest.raises(Enough) as raised:
        cairn.train(small_set, recipe=recipe, out=out, on_epoch=stop_after_the_first)
    assert raised.value.args == (1,)
    if sys.version_info >= (3, 11):
        assert "train(resume=" in raised.value.__notes__[0]
    stopped = cairn.Run.open(out)
    assert len(stopped.history) == 1 and stopped.stopped is None

    seen = []
    resumed = cairn.train(resume=stopped, on_epoch=seen.append)
    assert [epoch.epoch for epoch in seen] == [2, 3, 4]
    assert timeless(resumed.history) == timeless(run.history) and resumed.stopped == "epochs"
    assert (out / "best.safetensors").read_bytes() == (run.path / "best.safetensors").read_bytes()
    # It is at its end: there is nothing left to do.
    assert cairn.train(resume=out, on_epoch=seen.append).history == resumed.history and len(seen) == 3


def test_photos_that_have_moved_are_named_when_a_run_is_resumed(recipe, tmp_path):
    photos = cairn.demo_photos(tmp_path / "photos", classes=2, train=6, test=0, side=40)
    with pytest.raises(ZeroDivisionError):
        cairn.train(photos, recipe=recipe, out=tmp_path / "run", on_epoch=lambda epoch: 1 / 0)
    photos.rename(tmp_path / "moved")
    with pytest.raises(cairn.TrainError, match="photos"):
        cairn.train(resume=tmp_path / "run")
    assert len(cairn.train(tmp_path / "moved", resume=tmp_path / "run").history) == 4


def test_ctrl_c_stops_the_training_and_saves_it(small_set, recipe, tmp_path):
    """More epochs than anybody waits for: only the signal ends them. It comes from another thread, which runs while this one
    is in native code."""
    out = tmp_path / "run"

    def interrupt_after_an_epoch():
        while not (out / "metrics.jsonl").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell's background jobs ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt_after_an_epoch, daemon=True)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt) as raised:
            cairn.train(small_set, recipe=recipe, out=out, epochs=1_000_000)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    if sys.version_info >= (3, 11):
        assert repr(str(out)) in raised.value.__notes__[0]
    saved = cairn.Run.open(out)
    assert len(saved.history) >= 1 and (out / "checkpoint.safetensors").exists()

    # It goes on where it stopped.
    class Stop(Exception):
        pass

    seen = []

    def note(epoch):
        seen.append(epoch.epoch)
        raise Stop

    with pytest.raises(Stop):
        cairn.train(resume=out, on_epoch=note)
    assert seen == [len(saved.history) + 1]


def test_photos_that_cannot_be_read_are_counted_named_and_warned_of(recipe, tmp_path):
    photos = cairn.demo_photos(tmp_path / "photos", classes=2, train=12, test=2, side=40)
    broken = [photos / "train/00.Pyramid/broken.jpg", photos / "train/01.Lattice_Tower/empty.jpg"]
    broken[0].write_bytes(b"no photo")
    broken[1].write_bytes(b"")
    with pytest.warns(UserWarning, match=r"2 of the photos could not be read .*\(and 1 more") as caught:
        run = cairn.train(photos, recipe=recipe, out=tmp_path / "run", epochs=2)
    assert caught[-1].filename == __file__
    assert sorted(line.split(": ")[0] for line in run.bad_photos) == sorted(map(os.fspath, broken))
    assert any("text, not a photo" in line for line in run.bad_photos)
    assert [epoch.bad_photos for epoch in run.history] == [2, 2]


def test_what_cannot_be_trained_says_why(small_set, recipe, run, tmp_path):
    out = tmp_path / "run"
    for arguments, said in [
        ({"data": tmp_path / "gone"}, "gone"),
        ({"data": tmp_path}, "train"),
        ({"data": small_set, "recipe": "qiuck"}, "qiuck"),
        ({"data": small_set, "epochs": 0}, "training.epochs"),
        ({"data": small_set, "weights": "imagenet"}, "no published ImageNet weights"),
        ({"data": small_set, "weights": tmp_path / "gone.pth"}, "gone.pth"),
        ({"data": small_set, "out": run.path}, "already holds files"),
    ]:
        with pytest.raises(cairn.TrainError, match=said):
            cairn.train(**{"recipe": recipe, "out": out, **arguments})
    for arguments, said in [
        ({}, "give the folder of a data set"),
        ({"data": small_set, "cache": "tape"}, "cache is"),
        ({"data": small_set, "precision": "f16"}, "f16"),
        ({"resume": run, "epochs": 9, "recipe": recipe}, "leave out recipe, epochs"),
    ]:
        with pytest.raises(ValueError, match=said):
            cairn.train(**arguments)
    with pytest.raises(cairn.TrainError, match="not a run folder"):
        cairn.train(resume=small_set)
    assert not out.exists()
    # A class without photos to learn from.
    (tmp_path / "set/train/01.A").mkdir(parents=True)
    (tmp_path / "set/train/02.B").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "set/train/01.A/a.png")
    with pytest.raises(cairn.TrainError, match="classes without training photos: 02.B"):
        cairn.train(tmp_path / "set", recipe=recipe)


def test_a_trained_model_learns_once_it_is_calibrated(run, small_set, tmp_path):
    new = cairn.demo_photos(tmp_path / "new", classes=["Windmill"], train=5, test=0, side=48)
    windmills = sorted((new / "train").rglob("*.jpg"))
    with pytest.raises(cairn.ModelError, match="calibrate"):
        run.model.learn("Windmill", windmills)
    calibrated = run.model.calibrate(small_set)
    assert list(calibrated.learn("Windmill", windmills).classes_) == [*run.model.classes_, "Windmill"]
    # The model that it came from is as it was.
    with pytest.raises(cairn.ModelError, match="calibrate"):
        run.model.learn("Windmill", windmills)
    assert calibrated.predict_landmarks(windmills[0]).is_landmark in (True, False)
    others = run.model.calibrate(small_set, distractors=[new / "train"])
    assert others.predict_landmarks(windmills[0]).is_landmark in (True, False)
    (tmp_path / "none").mkdir()
    with pytest.raises(cairn.PhotoError, match="none"):
        run.model.calibrate(small_set, distractors=[tmp_path / "none"])
    with pytest.raises(cairn.ModelError, match="classes"):
        run.model.calibrate(new)
    (windmills[0].parent / "broken.jpg").write_bytes(b"no photo")
    with pytest.warns(UserWarning, match="broken.jpg"):
        run.model.calibrate(small_set, distractors=[new / "train"])


def test_drawn_photos_are_the_same_every_time_and_leave_other_folders_alone(tmp_path):
    first = cairn.demo_photos(tmp_path / "first", classes=["Stone Circle", "Pyramid"], train=2, test=1, side=32, seed=5)
    second = cairn.demo_photos(tmp_path / "second", classes=["Stone Circle", "Pyramid"], train=2, test=1, side=32, seed=5)

    def files(root):
        return {path.relative_to(root): path.read_bytes() for path in root.rglob("*.jpg")}

    assert files(first) == files(second) and len(files(first)) == 6
    assert {path.parent.name for path in files(first)} == {"05.Stone_Circle", "00.Pyramid"}
    assert cairn.demo_photos(first, classes=["Stone Circle", "Pyramid"], train=2, test=1, side=32, seed=5) == first
    with pytest.raises(ValueError, match="another drawn data set"):
        cairn.demo_photos(first, classes=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not a drawn data set"):
        cairn.demo_photos(tmp_path / "mine")
    for classes, said in [(0, "1 to 12"), (13, "1 to 12"), (["Atlantis"], "Atlantis")]:
        with pytest.raises(ValueError, match=said):
            cairn.demo_photos(tmp_path / "none", classes=classes)
    with pytest.raises(ValueError, match="pixel"):
        cairn.demo_photos(tmp_path / "none", side=0)
    with pytest.raises(OSError, match="letter.txt"):
        cairn.demo_photos(tmp_path / "mine/letter.txt/below")
    assert not (tmp_path / "none").exists()


def test_an_explanation_is_shown_beside_the_photo(run, small_set):
    photo = next((small_set / "test").rglob("*.jpg"))
    picture = run.model.show_explanation(photo)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert run.model.show_explanation(photo.read_bytes(), "Dome").png != run.model.show_explanation(photo, "Pyramid").png
    with pytest.raises(cairn.ModelError, match="Atlantis"):
        run.model.show_explanation(photo, "Atlantis")


def test_a_training_that_goes_well_warns_of_nothing(small_set, recipe, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cairn.train(small_set, recipe=recipe, out=tmp_path / "run", epochs=1)
