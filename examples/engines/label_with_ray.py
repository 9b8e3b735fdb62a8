"""Names the landmarks in photos with Ray Data: the rows of `cairn label`, as Parquet.

    python label_with_ray.py list.parquet labels        # a column `photo` of paths that every machine sees
    python label_with_ray.py s3://bucket/photos labels   # a folder, wherever Ray reads from
    RAY_ADDRESS=ray://HOST:10001 python label_with_ray.py list.parquet labels

Needs `cairn-landmarks` and ray[data] on every machine.
"""

import argparse

import cairn_landmarks as cairn
import ray
from cairn_landmarks.arrow import label

PHOTOS = ["jpg", "jpeg", "png", "webp", "heic"]


class Labeller:
    """An actor: Ray starts one for each core, and each opens the model once."""

    def __init__(self):
        self.model = cairn.Model.open("shipped", threads=1)

    def __call__(self, batch):
        return label(self.model, batch)


def read(source):
    if source.endswith(".parquet"):
        photos = ray.data.read_parquet(source, columns=["photo"])
        # A task is a thousand photos. It is what Ray does again after a fault.
        return photos.repartition(target_num_rows_per_block=1024)
    return ray.data.read_binary_files(source, include_paths=True, file_extensions=PHOTOS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="Parquet with a column `photo`, or a folder of photos")
    parser.add_argument("out", help="folder for the labels")
    arguments = parser.parse_args()
    ray.init()
    cores = int(ray.cluster_resources()["CPU"])
    photos = read(arguments.source)
    # Photos in memory at once, in each actor: 64. Actors ask for half a core each: those that read and write need some, too.
    labels = photos.map_batches(
        Labeller, batch_format="pyarrow", batch_size=64, num_cpus=0.5, compute=ray.data.ActorPoolStrategy(size=cores)
    )
    labels.write_parquet(arguments.out)


if __name__ == "__main__":
    main()
