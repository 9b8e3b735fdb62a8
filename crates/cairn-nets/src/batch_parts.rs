//! A batch of photos in parts that pass through a network side by side.

use burn::tensor::{Device, Tensor};
use cairn_kernels::{alone, in_pool, in_team};
use rayon::prelude::*;

/// What `pass` gives for `images`, `[batch, 3, height, width]`, as tensors with a row for each photo.
///
/// On the processor, where no gradients are wanted, each thread takes a few photos through the whole network: their maps then
/// stay in its cache from layer to layer, which those of a large batch do not, and threads do not wait for each other after
/// each layer. How many they are depends on the network's `parameters` and on the photos alone, so that results have the same
/// bits on any number of threads.
pub(crate) fn in_parts<const N: usize>(
    images: Tensor<4>,
    parameters: impl FnOnce() -> usize,
    pass: impl Fn(Tensor<4>) -> [Tensor<2>; N] + Sync,
) -> [Tensor<2>; N] {
    let [batch, _, height, width] = images.dims();
    if images.is_autodiff() || images.device() != Device::flex() {
        return pass(images);
    }
    let parts = match batch {
        0 | 1 => 1,
        _ => batch.div_ceil(photos_together(parameters(), height * width)),
    };
    let photos = batch.div_ceil(parts).max(1);
    let mut passed: Vec<[Tensor<2>; N]> = side_by_side(batch.div_ceil(photos).max(1), |part| {
        let first = part * photos;
        let images = images.clone();
        pass(if photos < batch { images.narrow(0, first, photos.min(batch - first)) } else { images })
    });
    match passed.len() {
        1 => passed.remove(0),
        _ => {
            std::array::from_fn(|n| Tensor::cat(passed.iter().map(|tensors| tensors[n].clone()).collect(), 0))
        }
    }
}

/// What `run` gives for each of so many parts: as many at a time as there are threads, each on one thread. Threads that have nothing
/// left to begin help with the layers of the last parts.
pub(crate) fn side_by_side<R: Send>(parts: usize, run: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    if parts == 1 {
        return in_team(|| vec![run(0)]);
    }
    in_pool(|| {
        let threads = rayon::current_num_threads();
        let shared = parts.saturating_sub(threads + parts % threads)..parts;
        let run = |part| if shared.contains(&part) { run(part) } else { alone(|| run(part)) };
        (0..parts).into_par_iter().with_max_len(1).map(run).collect()
    })
}

/// Photos of so many `pixels` that pass together: so many that their largest map has about as many values as the network has
/// `parameters`. With more of them maps are what the cache has no room for; with fewer, weights are fetched for too little work.
fn photos_together(parameters: usize, pixels: usize) -> usize {
    /// Values in the largest map for each pixel of a photo: 16 in a ResNet, 24 in MobileNetV2.
    const LARGEST_MAP: usize = 20;
    parameters.div_ceil(LARGEST_MAP * pixels.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    fn sums_and_photos(images: Tensor<4>) -> [Tensor<2>; 2] {
        let [batch, ..] = images.dims();
        let sums = images.sum_dim(3).sum_dim(2).sum_dim(1).reshape([batch, 1]);
        [sums, Tensor::full([batch, 2], batch as f32, &Device::flex())]
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn each_photo_is_in_one_part_and_keeps_its_place() {
        for batch in 1..=11 {
            let images = Tensor::random([batch, 3, 5, 4], Distribution::Default, &Device::flex());
            let whole = sums_and_photos(images.clone())[0].clone();
            // Three photos together.
            let [sums, photos] = in_parts(images, || 3 * 20 * 20, sums_and_photos);
            assert_eq!(values(sums), values(whole), "{batch}");
            assert!(values(photos).iter().all(|&photos| photos <= 3.0), "{batch}");
        }
    }

    #[test]
    fn every_part_is_passed_once_in_its_place_on_any_number_of_threads() {
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for parts in 0..9 {
                let expected: Vec<usize> = (0..parts).collect();
                assert_eq!(pool.install(|| side_by_side(parts, |part| part)), expected, "{threads} threads");
            }
        }
    }

    #[test]
    fn with_gradients_a_batch_is_one_part() {
        let images: Tensor<4> = Tensor::ones([8, 3, 5, 4], &Device::flex().autodiff());
        let [photos] = in_parts(
            images,
            || 1,
            |images| {
                let [batch, ..] = images.dims();
                [Tensor::full([batch, 1], batch as f32, &Device::flex())]
            },
        );
        assert_eq!(values(photos), [8.0; 8]);
    }
}
