//! Channels in blocks of constant width, so that what is computed of a block stays in registers.

/// Splits channels into blocks that are summed in registers: wide ones first, since what a tap costs besides its
/// multiplications is the same for any width. As (first channel, channels), with the widths that [`with_lanes`] knows.
pub(crate) fn blocks(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let width = [64, 32, 16, 8, 1].into_iter().find(|width| first + width <= channels)?;
        first += width;
        Some((first - width, width))
    })
}

/// Calls a function that is generic over the width of a block.
macro_rules! with_lanes {
    ($width:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $width {
            64 => $function::<64, T>($($argument),*),
            32 => $function::<32, T>($($argument),*),
            16 => $function::<16, T>($($argument),*),
            8 => $function::<8, T>($($argument),*),
            _ => $function::<1, T>($($argument),*),
        }
    };
}
pub(crate) use with_lanes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_channel_once() {
        for channels in 0..300 {
            let mut next = 0;
            for (first, width) in blocks(channels) {
                assert_eq!(first, next);
                assert!([64, 32, 16, 8, 1].contains(&width));
                next += width;
            }
            assert_eq!(next, channels);
        }
    }
}
