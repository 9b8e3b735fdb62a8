//! Changes that depend on how often each level occurs: Pillow's `ImageOps.autocontrast` and `equalize`.

use super::planes::Planes;

/// Stretches each channel so that its darkest level becomes 0 and its brightest 255.
pub(super) fn stretch_contrast(planes: &mut Planes<'_>) {
    map_channels(planes, |counts| {
        let darkest = counts.iter().position(|&count| count > 0)?;
        let brightest = counts.iter().rposition(|&count| count > 0)?;
        if brightest <= darkest {
            return None;
        }
        let scale = 255.0 / (brightest - darkest) as f64;
        let offset = -(darkest as f64) * scale;
        // The cast drops what is left after the point and saturates, as Pillow does both.
        Some(std::array::from_fn(|level| (level as f64 * scale + offset) as u8))
    });
}

/// Spreads each channel's levels so that all are about equally frequent.
pub(super) fn equalize(planes: &mut Planes<'_>) {
    map_channels(planes, |counts| {
        let pixels: u64 = counts.iter().sum();
        let brightest = counts.iter().rposition(|&count| count > 0)?;
        let step = (pixels - counts[brightest]) / 255;
        // So too where there is but one level.
        if step == 0 {
            return None;
        }
        let mut below = step / 2;
        Some(counts.map(|count| {
            let level = (below / step).min(255) as u8;
            below += count;
            level
        }))
    });
}

/// Replaces each channel's levels by the table that `table_of` gives for their counts; `None` leaves them.
fn map_channels(planes: &mut Planes<'_>, table_of: impl Fn([u64; 256]) -> Option<[u8; 256]>) {
    for plane in planes.planes_mut() {
        let mut counts = [0; 256];
        for &level in plane.iter() {
            counts[usize::from(level as u8)] += 1;
        }
        if let Some(table) = table_of(counts) {
            for level in plane {
                *level = f32::from(table[usize::from(*level as u8)]);
            }
        }
    }
}
