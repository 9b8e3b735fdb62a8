//! The photo that the reference scripts draw too.

use cairn_photo::Photo;

/// A ramp, a pattern of high frequency and a chequered pattern: the formula of `drawn` in `tests/reference/*.py`.
pub(crate) fn drawn(width: u32, height: u32) -> Photo {
    let pixels = (0..height)
        .flat_map(|y| {
            (0..width).flat_map(move |x| {
                let red = x * 255 / (width - 1);
                let green = (x * x * 3 + y * 29 + x * y) % 256;
                let blue = 255 * ((x / 3 + y / 4) % 2);
                [red as u8, green as u8, blue as u8]
            })
        })
        .collect();
    Photo::from_pixels(width, height, pixels).unwrap()
}
