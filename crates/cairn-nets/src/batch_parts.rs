//! A batch of photos in parts that pass through a network side by side.

use burn::tensor::{Device, Tensor};
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
    if batch < 2 || images.is_autodiff() || images.device() != Device::flex() {
        return pass(images);
    }
    let parts = batch.div_ceil(photos_together(parameters(), height * width));
    if parts < 2 {
        return pass(images);
    }
    let photos = batch.div_ceil(parts);
    let passed: Vec<[Tensor<2>; N]> = (0..batch.div_ceil(photos))
        .into_par_iter()
        .with_max_len(1)
        .map(|part| {
            let first = part * photos;
            pass(images.clone().narrow(0, first, photos.min(batch - first)))
        })
        .collect();
    std::array::from_fn(|n| Tensor::cat(passed.iter().map(|tensors| tensors[n].clone()).collect(), 0))
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
