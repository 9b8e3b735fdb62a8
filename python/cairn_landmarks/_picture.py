"""Pictures that notebooks show."""

from __future__ import annotations

import os
from pathlib import Path


class Picture:
    """A picture; notebooks show it."""

    def __init__(self, png: bytes) -> None:
        self.png = png
        """The picture as a PNG."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the picture as a PNG."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png
