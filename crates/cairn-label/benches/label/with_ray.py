"""Labels a Parquet list of photos by Ray Data and ONNX Runtime.

    pip install 'ray[data]' onnxruntime pillow numpy
    python with_ray.py list.parquet labels --model model.onnx --workers 2 --threads 1
"""

import argparse

import ray

import onnx_photos


class Labeller:
    def __init__(self, model, threads):
        self.model = onnx_photos.open_model(model, threads)

    def __call__(self, batch):
        return onnx_photos.label(self.model, batch["photo"].tolist())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("list")
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of ONNX Runtime in each worker")
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    photos = ray.data.read_parquet(arguments.list, columns=["photo"]).repartition(target_num_rows_per_block=512)
    labels = photos.map_batches(
        Labeller,
        fn_constructor_args=[arguments.model, arguments.threads],
        batch_size=arguments.batch,
        num_cpus=0.5,
        compute=ray.data.ActorPoolStrategy(size=arguments.workers),
    )
    labels.write_parquet(arguments.out)


if __name__ == "__main__":
    main()
