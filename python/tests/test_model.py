"""What a model says is the same however a photo is handed over, and what cannot be read says so."""

import threading

import numpy as np
import pytest
from PIL import Image, ImageOps

import cairn_landmarks as cairn


def test_a_path_bytes_a_pil_image_and_an_array_give_the_same_probabilities(model, photos):
    by_path = model.predict_proba([str(path) for path in photos])
    assert by_path.shape == (6, len(model.classes_)) and by_path.dtype == np.float32
    np.testing.assert_allclose(by_path.sum(axis=1), 1, atol=1e-5)
    images = [Image.open(path) for path in photos]
    for name, handed in {
        "Path": photos,
        "bytes": [path.read_bytes() for path in photos],
        "memoryview": [memoryview(path.read_bytes()) for path in photos],
        "PIL": images,
        "array": [np.asarray(image) for image in images],
        "generator": (path for path in photos),
        "with gaps": [np.repeat(np.asarray(image), 2, axis=1)[:, ::2] for image in images],
    }.items():
        assert np.array_equal(model.predict_proba(handed), by_path), name
    batch = np.stack([np.asarray(image) for image in images])
    assert np.array_equal(model.predict_proba(batch), by_path)
    assert np.array_equal(model.predict_proba(photos[2]), by_path[2:3])


def test_pil_images_are_turned_upright_and_laid_on_white(model, tmp_path):
    generator = np.random.default_rng(1)
    pixels = generator.integers(0, 256, (8, 12, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((240, 160), Image.Resampling.BICUBIC)
    image.save(tmp_path / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.convert("RGB").save(tmp_path / "turned.jpg", exif=exif, quality=100)
    image.convert("P").save(tmp_path / "palette.png")
    image.convert("L").save(tmp_path / "grey.png")
    for name in ["clear.png", "palette.png", "grey.png"]:
        path = tmp_path / name
        np.testing.assert_allclose(model.predict_proba(Image.open(path)), model.predict_proba(path), atol=2e-3, err_msg=name)
    # Two decoders of JPEG differ in the last bit of a pixel, which noise makes much of: the pixels of one are compared.
    path = tmp_path / "turned.jpg"
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert upright.shape == (240, 160, 3)
    assert np.array_equal(model.predict_proba(Image.open(path)), model.predict_proba(upright))
    np.testing.assert_allclose(model.predict_proba(path), model.predict_proba(upright), atol=2e-2)


def test_a_prediction_names_landmarks_with_places(model, photos):
    prediction = model.predict_landmarks(photos[0], 3)
    proba = model.predict_proba(photos[0])[0]
    order = np.argsort(-proba, kind="stable")[:3]
    assert [landmark.name for landmark in prediction.landmarks] == list(model.classes_[order])
    np.testing.assert_array_equal([landmark.probability for landmark in prediction.landmarks], proba[order])
    first = prediction.landmarks[0]
    assert first.class_ in model.class_folders and -90 <= first.latitude <= 90 and first.country
    assert prediction.is_landmark in (True, False) and isinstance(prediction.landmark_score, float)
    assert first.name in repr(prediction)
    assert cairn.Model.open(threshold=1.1).predict_landmarks(photos[0]).is_landmark is False


def test_the_functions_of_the_notebooks(photos):
    names = cairn.predict_landmarks(photos[0], 2)
    shipped = cairn.Model.open()
    assert names == [landmark.name for landmark in shipped.predict_landmarks(photos[0], 2).landmarks]
    suggestion = cairn.suggest_locations(photos[0])
    assert str(suggestion) == suggestion.sentence and suggestion.sentence
    page = suggestion._repr_html_()
    assert page.startswith('<img alt="" src="data:image/jpeg;base64,/9j/') and page.endswith("</p>")
    assert names[0].split()[-1] in page
    assert cairn.suggest_locations(photos[0].read_bytes()).sentence == suggestion.sentence


def test_photos_that_cannot_be_read_say_why(model, photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    with pytest.raises(cairn.PhotoError, match="broken.jpg: text, not a photo"):
        model.predict_landmarks(broken)
    with pytest.raises(cairn.PhotoError, match="gone.jpg: no such file"):
        model.predict_proba([photos[0], tmp_path / "gone.jpg"])
    rows = model.predict_proba([photos[0], broken, photos[1]], errors="row")
    assert np.isnan(rows[1]).all() and np.array_equal(rows[[0, 2]], model.predict_proba(photos[:2]))
    assert np.isnan(model.predict_proba([broken], errors="row")).all()
    assert model.predict_proba([]).shape == (0, len(model.classes_))
    for wrong, error in [(7, TypeError), (np.zeros((4, 4, 3)), TypeError), (np.zeros((4, 4, 5), np.uint8), ValueError)]:
        with pytest.raises(error):
            model.predict_proba(wrong) if isinstance(wrong, np.ndarray) else model.predict_landmarks(wrong)
    with pytest.raises(ValueError):
        model.predict_landmarks(photos[0], 0)
    with pytest.raises(ValueError, match="errors is"):
        model.predict_proba(photos, errors="ignore")


def test_models_that_are_none_say_why(tmp_path):
    for source, said in [(tmp_path / "gone.safetensors", "gone"), (b"no model", "model")]:
        with pytest.raises(cairn.ModelError, match=said):
            cairn.Model.open(source)
    with pytest.raises(ValueError, match="views"):
        cairn.Model.open(views="all")
    with pytest.raises(ValueError, match="f16"):
        cairn.Model.open(precision="f16")


def test_embeddings_are_of_length_one_and_explanations_cover_the_photo(model, photos):
    embeddings = model.embed(photos)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-4)
    embeddings[0] = 0  # the array is the caller's
    heat = model.explain(photos[0])
    assert heat.ndim == 2 and heat.min() >= 0 and heat.max() == pytest.approx(1)
    named = model.explain(photos[0], model.classes_[3])
    assert named.shape == heat.shape and not np.array_equal(named, heat)
    with pytest.raises(cairn.ModelError, match="Atlantis"):
        model.explain(photos[0], "Atlantis")


def test_a_class_is_learned_by_a_new_model_that_can_be_kept(model, photos, tmp_path):
    learned = model.learn("Town hall", photos[:3])
    assert list(learned.classes_) == [*model.classes_, "Town hall"]
    assert "Town hall" not in model.classes_
    assert learned.predict_landmarks(photos[0], 1).landmarks[0].name == "Town hall"
    learned.save(tmp_path / "my.safetensors")
    for source in [tmp_path / "my.safetensors", (tmp_path / "my.safetensors").read_bytes()]:
        again = cairn.Model.open(source, views="none", precision="f32")
        assert np.array_equal(again.predict_proba(photos), learned.predict_proba(photos))
    with pytest.raises(cairn.ModelError):
        model.learn(model.classes_[0], photos[:1])


def test_other_threads_run_while_a_model_works(model, photos):
    counted, done = 0, threading.Event()

    def predict():
        model.predict_proba(photos * 10)
        done.set()

    thread = threading.Thread(target=predict)
    thread.start()
    # Holding the interpreter, the model would let this run only when it is done.
    while not done.is_set():
        counted += 1
    thread.join()
    assert counted > 100


def test_many_threads_share_a_model(model, photos):
    expected = model.predict_proba(photos)
    found = []
    threads = [threading.Thread(target=lambda: found.append(model.predict_proba(photos))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(np.array_equal(one, expected) for one in found)


def test_a_batch_is_shown(photos, tmp_path):
    folder = tmp_path / "12.Eiffel_Tower"
    folder.mkdir()
    for path in photos:
        (folder / path.name).write_bytes(path.read_bytes())
    batch = cairn.show_batch(tmp_path, 4, columns=2)
    batch.save(tmp_path / "batch.png")
    with Image.open(tmp_path / "batch.png") as image:
        assert image.width > 2 * 160 and image.height > 2 * 160
    assert batch._repr_png_() == (tmp_path / "batch.png").read_bytes()
    with pytest.raises(cairn.PhotoError, match="no photos"):
        cairn.show_batch(tmp_path / "nowhere")
