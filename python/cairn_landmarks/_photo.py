"""A photo as the package takes it: a path, the bytes of a file, a PIL image, or an array of uint8."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias, Union

import numpy as np
import numpy.typing as npt


class PilImage(Protocol):
    """What is used of a PIL image."""

    mode: str

    def convert(self, mode: str) -> Any: ...
    def tobytes(self) -> bytes: ...


Photo: TypeAlias = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, PilImage, npt.NDArray[np.uint8]]
NativePhoto: TypeAlias = Union[str, bytes, "tuple[int, int, bytes]"]


def native_photo(photo: Photo) -> NativePhoto:
    """The photo as the native code takes it."""
    if isinstance(photo, (str, os.PathLike)):
        return os.fspath(photo)
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, (bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8:
            raise TypeError(f"pixels are uint8, from 0 to 255, not {photo.dtype}")
        if photo.ndim == 2:
            photo = np.repeat(photo[:, :, None], 3, axis=2)
        if photo.ndim != 3 or photo.shape[2] != 3:
            raise ValueError(f"an array of pixels is [height, width, 3] or [height, width], not {list(photo.shape)}")
        height, width, _ = photo.shape
        return width, height, photo.tobytes()
    if hasattr(photo, "convert") and hasattr(photo, "size"):
        return _of_pil(photo)
    raise TypeError(f"a photo is a path, bytes, a PIL image or an array, not {type(photo).__name__}")


def _of_pil(image: Any) -> NativePhoto:
    """An upright RGB image, transparency laid on white: as photos are read from files."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image)
    image = image.convert("RGB")
    width, height = image.size
    return width, height, image.tobytes()


def _is_one(photos: Photo | Iterable[Photo]) -> bool:
    if isinstance(photos, np.ndarray):
        return photos.ndim <= 3
    return isinstance(photos, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(photos, "convert")


def native_photos(photos: Photo | Iterable[Photo]) -> list[NativePhoto]:
    """The photos of a list, or of one photo."""
    if _is_one(photos):
        return [native_photo(photos)]  # type: ignore[arg-type]
    return [native_photo(photo) for photo in photos]  # type: ignore[union-attr, arg-type]
