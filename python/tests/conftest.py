"""Photos to look at: drawn ones always, real ones where they are (CAIRN_DATA, else ../shared/data beside the repository)."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cairn_landmarks as cairn

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model():
    return cairn.Model.open("shipped", views="none", precision="f32")


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Six drawn photos."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(5)
    paths = []
    for number in range(6):
        small = generator.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        path = folder / f"{number}.png"
        Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="session")
def data():
    folder = Path(os.environ.get("CAIRN_DATA", REPOSITORY / "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}; CAIRN_DATA names the one with real photos")
    return folder


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    """Drawn photos of three made-up landmarks."""
    folder = tmp_path_factory.mktemp("set") / "photos"
    return cairn.demo_photos(folder, classes=["Pyramid", "Dome", "Lighthouse"], train=12, test=4, side=48)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """A recipe of four short epochs, without a limit in minutes: its results depend on no clock."""
    path = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    path.write_text(
        """
[network]
architecture = "three-conv"
dropout = 0.25

[photos]
framing = { short_side_crop = { short_side = 36, crop = 32 } }
normalisation = "data-set"
augment = [
    { random_resized_crop = { size = 32, scale = [0.6, 1.0] } },
    { horizontal_flip = { p = 0.5 } },
]

[training]
batch = 8
epochs = 4
seed = 1

[optimiser]
kind = "adamw"
learning_rate = 2e-3

[schedule]
kind = "cosine"
warmup_epochs = 0.5
"""
    )
    return path
