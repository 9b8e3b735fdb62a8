//! How exported models resize: as a product of matrices whose elements they compute from the photo's size.
//!
//! Antialiased bilinear resizing weights the pixels below a new one by a triangle. With `n` pixels before and `m` after,
//! the centres of new pixel `i` and old pixel `x` are `|(2i + 1) n - (2x + 1) m|` apart in units of half an old pixel's
//! `m`-th, and the triangle ends at `2 max(n, m)`. So all weights are whole numbers until they are divided by their sum:
//! no rounding but the last, whatever runs the model.
//!
//! `Photo::resized` rounds its weights to 16-bit integers (as `fast_image_resize` does for speed), and its pixels to whole
//! levels after each axis, a half upwards. Both are repeated here; without the first, a pixel in some hundred is another
//! by one level, and a probability by up to 0.001.

/// The scales that weights may be rounded at: the greatest is taken by which the greatest weight stays below
/// [`WEIGHT_LIMIT`].
pub(super) fn weight_scales() -> impl Iterator<Item = f32> {
    (4..22).map(|bits| (1_u32 << bits) as f32)
}

/// What a weight times the scale must stay below: what rounds to more is no 16-bit integer.
pub(super) const WEIGHT_LIMIT: f32 = 32767.5;
