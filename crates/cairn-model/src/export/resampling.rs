//! How exported models resize: as products with matrices whose elements they compute from the photo's size.
//!
//! Antialiased bilinear resizing weights the pixels below a new one by a triangle. With `n` pixels before and `m`
//! after, the centres of new pixel `i` and old pixel `x` are `|(2i + 1) n - (2x + 1) m|` apart, counted in parts of which
//! an old pixel has `2m`, and the triangle ends at `2 max(n, m)`. So all weights are whole numbers until they are divided
//! by their sum.
//!
//! `Photo::resized` rounds its weights to 16-bit integers (as `fast_image_resize` does for speed), and its pixels to
//! whole levels after each axis, a half upwards. Exported models repeat both. Without the first, one pixel in some
//! hundreds comes out a level higher or lower, and SqueezeNet's probabilities move by up to 0.001.
//!
//! Sums of 16-bit weights and 8-bit levels take up to 26 bits, and f32 has 24: on photos of 12 megapixels a few pixels
//! and 0.0003 of a probability. So each weight is split in two bytes, and there are two sums that f32 holds exactly. With
//! `scale` for the sum of the weights,
//! `floor((256 coarse + fine + scale / 2) / scale)` is then
//! `floor((coarse + floor((fine + scale / 2) / 256)) / (scale / 256))`, which f32 holds at every step.

/// The scales that weights may be rounded at; the greatest that keeps them all below [`WEIGHT_LIMIT`] is taken. No
/// weight is above 1, so that the first always does.
pub(super) fn weight_scales() -> impl Iterator<Item = f32> {
    (14..22).map(|bits| (1_u32 << bits) as f32)
}

/// What a weight times the scale must stay below: what rounds to more is no 16-bit integer.
pub(super) const WEIGHT_LIMIT: f32 = 32767.5;

/// What the upper byte of a weight counts.
pub(super) const BYTE: f32 = 256.0;
