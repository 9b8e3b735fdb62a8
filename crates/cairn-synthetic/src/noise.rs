//! Smooth random patterns for clouds, grass, ripples and weathered stone.

/// Value noise: random heights on the whole numbers, smoothly blended in between. In 0..=1.
pub(super) fn value_noise(seed: u32, x: f32, y: f32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let (right, down) = (smooth(x - column), smooth(y - row));
    let (column, row) = (column as i32, row as i32);
    let above = blend(lattice(seed, column, row), lattice(seed, column.wrapping_add(1), row), right);
    let row = row.wrapping_add(1);
    let below = blend(lattice(seed, column, row), lattice(seed, column.wrapping_add(1), row), right);
    blend(above, below, down)
}

/// Fractal noise: `octaves` layers of value noise, each twice as fine and half as strong. In 0..=1.
pub(super) fn fractal_noise(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut total, mut strength, mut scale) = (0.0, 0.0, 1.0, 1.0);
    for octave in 0..octaves {
        sum += strength * value_noise(seed.wrapping_add(octave), x * scale, y * scale);
        total += strength;
        strength *= 0.5;
        scale *= 2.0;
    }
    sum / total
}

/// 0 up to `from`, 1 beyond `to`, smoothly rising in between.
pub(super) fn smooth_step(from: f32, to: f32, value: f32) -> f32 {
    smooth(((value - from) / (to - from)).clamp(0.0, 1.0))
}

fn smooth(share: f32) -> f32 {
    share * share * (3.0 - 2.0 * share)
}

fn blend(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

/// The random height at a whole-numbered place, in 0..=1: an integer hash of the place.
fn lattice(seed: u32, column: i32, row: i32) -> f32 {
    let mut bits = seed
        ^ (column as u32).wrapping_mul(0x9e37_79b1)
        ^ (row as u32).wrapping_mul(0x85eb_ca77).rotate_left(13);
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x7feb_352d);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x846c_a68b);
    bits ^= bits >> 16;
    (bits >> 8) as f32 / 16_777_215.0
}
