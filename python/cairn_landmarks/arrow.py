"""Labels as Arrow tables, for engines that run Python functions on batches: Spark, Ray Data, Daft, Polars, DuckDB.

>>> import cairn_landmarks as cairn
>>> from cairn_landmarks.arrow import SCHEMA, label
>>> model = cairn.Model.open()
>>> label(model, pyarrow.table({"photo": ["paris.jpg", "rome.jpg"]}))
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from . import Model
from ._row import unread

_LANDMARK = [
    ("class", pa.string()),
    ("name", pa.string()),
    ("probability", pa.float32()),
    ("latitude", pa.float64()),
    ("longitude", pa.float64()),
]

SCHEMA: Any = pa.schema(
    [
        ("photo", pa.string()),
        ("is_landmark", pa.bool_()),
        ("landmark_score", pa.float64()),
        *_LANDMARK,
        ("landmarks", pa.list_(pa.struct(_LANDMARK))),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("error", pa.string()),
    ]
)
"""The columns of ``cairn label``. (Sides are signed here: Spark has no others.)"""

_NAMES = ["photo", "path"]


def label(model: Model, batch: Any, *, k: int = 3) -> Any:
    """A table of :data:`SCHEMA`: a row for each row of ``batch``, which is a table or a record batch.

    The photos are the files in the column ``bytes``, else those at the paths in the column ``photo`` or ``path``. A photo that
    cannot be read is a row with an ``error``. A disk or network that fails raises ``OSError``, so that the engine tries again.
    """
    columns = batch.schema.names
    named = next((name for name in _NAMES if name in columns), None)
    if named is None and "bytes" not in columns:
        raise ValueError(f"photos are in a column `photo`, `path` or `bytes`; the batch has {', '.join(columns)}")
    nothing = [None] * batch.num_rows
    names = nothing if named is None else batch.column(named).to_pylist()
    contents = batch.column("bytes").to_pylist() if "bytes" in columns else nothing
    photos = [name or None if content is None else content for name, content in zip(names, contents)]
    there = {place: photo for place, photo in enumerate(photos) if photo is not None}
    rows = [unread(name, "the list names no photo here") for name in names]
    found = model.label(there.values(), names=[names[place] for place in there], k=k)
    for place, labelled in zip(there, found):
        rows[place] = labelled
    return pa.Table.from_pylist(rows, SCHEMA)
