"""Names the landmarks in photos with Daft: the rows of `cairn label`, as Parquet.

    python label_with_daft.py list.parquet labels             # a column `photo` of paths that every machine sees
    python label_with_daft.py 's3://bucket/photos/**' labels   # a pattern, wherever Daft reads from
    DAFT_RUNNER=ray python label_with_daft.py list.parquet labels

Needs `cairn-landmarks`, daft and pyarrow on every machine.
"""

import argparse

import cairn_landmarks as cairn
import daft
import pyarrow
from cairn_landmarks.arrow import SCHEMA, label
from daft import DataType, col


@daft.cls
class Labeller:
    """Daft opens one in each process; the model works on all cores."""

    def __init__(self):
        self.model = cairn.Model.open("shipped")

    @daft.method.batch(return_dtype=DataType.from_arrow_type(pyarrow.struct(SCHEMA)), unnest=True, batch_size=512)
    def label(self, photos, files):
        batch = pyarrow.table({"photo": photos.to_arrow(), "bytes": files.to_arrow()})
        return label(self.model, batch).to_struct_array().combine_chunks()


def read(source):
    if source.endswith(".parquet"):
        return daft.read_parquet(source).select(col("photo"), daft.lit(None).cast(DataType.binary()).alias("bytes"))
    return daft.from_glob_path(source).select(col("path").alias("photo"), col("path").download().alias("bytes"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="Parquet with a column `photo`, or a pattern of photos")
    parser.add_argument("out", help="folder for the labels")
    arguments = parser.parse_args()
    read(arguments.source).select(Labeller().label(col("photo"), col("bytes"))).write_parquet(arguments.out)


if __name__ == "__main__":
    main()
