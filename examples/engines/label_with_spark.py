"""Names the landmarks in photos with PySpark: the rows of `cairn label`, as Parquet.

    python label_with_spark.py list.parquet labels        # a column `photo` of paths that every machine sees
    python label_with_spark.py s3a://bucket/photos labels  # a folder, wherever Spark reads from
    spark-submit --master spark://HOST:7077 label_with_spark.py list.parquet labels

Needs `cairn-landmarks`, pyspark 4, pyarrow and pandas on every machine; PYSPARK_PYTHON names the Python that has them.
"""

import argparse
import math

import cairn_landmarks as cairn
from cairn_landmarks.arrow import SCHEMA, label
from pyspark.sql import SparkSession

PHOTOS = "*.{jpg,jpeg,JPG,JPEG,png,PNG,webp,heic,HEIC}"


def label_partition(batches):
    # In the worker, not in the driver: threads do not survive a fork. Spark starts a worker for each core.
    model = cairn.Model.open("shipped", threads=1)
    for batch in batches:
        yield from label(model, batch).to_batches()


def read(spark, source):
    if source.endswith(".parquet"):
        photos = spark.read.parquet(source).select("photo")
        # A task is some thousand photos, as a shard of `cairn label`. It is what Spark does again after a fault.
        return photos.repartition(max(1, math.ceil(photos.count() / 4096)))
    files = spark.read.format("binaryFile").option("pathGlobFilter", PHOTOS).option("recursiveFileLookup", True)
    return files.load(source).selectExpr("path AS photo", "content AS bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="Parquet with a column `photo`, or a folder of photos")
    parser.add_argument("out", help="folder for the labels; it must not be there yet")
    arguments = parser.parse_args()
    spark = SparkSession.builder.appName("landmarks").getOrCreate()
    # Photos in memory at once, in each worker.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 64)
    schema = spark.createDataFrame(SCHEMA.empty_table()).schema
    read(spark, arguments.source).mapInArrow(label_partition, schema).write.parquet(arguments.out)
    spark.stop()


if __name__ == "__main__":
    main()
