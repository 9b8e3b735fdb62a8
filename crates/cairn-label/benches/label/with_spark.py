"""Labels a Parquet list of photos by PySpark and ONNX Runtime.

    pip install pyspark pandas pyarrow onnxruntime pillow numpy     # and Java 17
    python with_spark.py list.parquet labels --model model.onnx --workers 2 --threads 1
"""

import argparse
import os
import sys

import pandas
from pyspark.sql import SparkSession

import onnx_photos


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("list")
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of ONNX Runtime in each worker")
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    path, threads = os.path.abspath(arguments.model), arguments.threads

    def label(batches):
        model = onnx_photos.open_model(path, threads)
        for batch in batches:
            yield pandas.DataFrame(onnx_photos.label(model, batch["photo"].tolist()))

    spark = SparkSession.builder.master(f"local[{arguments.workers}]").getOrCreate()
    spark.sparkContext.addPyFile(onnx_photos.__file__)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", arguments.batch)
    # Several tasks for each worker, so that none waits long for another at the end.
    photos = spark.read.parquet(arguments.list).select("photo").repartition(4 * arguments.workers)
    columns = "photo string, name string, probability double, error string"
    photos.mapInPandas(label, columns).write.parquet(arguments.out)
    spark.stop()


if __name__ == "__main__":
    main()
