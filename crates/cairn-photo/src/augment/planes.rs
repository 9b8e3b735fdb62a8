//! A photo as three planes of numbers, for arithmetic on many pixels at once.

use pulp::Arch;

use crate::{Normalisation, Photo};

/// Red, green and blue each for itself, `[3, height, width]`: whole levels from 0 to 255, as `f32`, which holds them
/// exactly.
#[derive(Debug)]
pub(super) struct Planes<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) levels: &'a mut [f32],
}

/// Some pixels of the three planes.
pub(super) struct Pixels<'a> {
    pub(super) red: &'a mut [f32],
    pub(super) green: &'a mut [f32],
    pub(super) blue: &'a mut [f32],
}

impl<'a> Planes<'a> {
    /// The photo's levels, laid out in `levels`.
    ///
    /// # Panics
    /// If `levels` has not three numbers for each pixel of the photo.
    pub(super) fn of(photo: &Photo, levels: &'a mut [f32]) -> Planes<'a> {
        assert_eq!(levels.len(), photo.pixels().len(), "three numbers for each pixel of {photo:?}");
        let mut planes = Planes { width: photo.width() as usize, height: photo.height() as usize, levels };
        let (pixels, _) = photo.pixels().as_chunks::<3>();
        let Pixels { red, green, blue } = planes.pixels_mut();
        Arch::new().dispatch(|| {
            for (((red, green), blue), pixel) in red.iter_mut().zip(green).zip(blue).zip(pixels) {
                *red = f32::from(pixel[0]);
                *green = f32::from(pixel[1]);
                *blue = f32::from(pixel[2]);
            }
        });
        planes
    }

    pub(super) fn to_photo(&self) -> Photo {
        let mut photo = Photo::filled(self.width as u32, self.height as u32, [0; 3]);
        let (pixels, _) = photo.pixels_mut().as_chunks_mut::<3>();
        for (channel, plane) in self.planes().enumerate() {
            for (pixel, &level) in pixels.iter_mut().zip(plane) {
                pixel[channel] = level as u8;
            }
        }
        photo
    }

    /// One channel after the other.
    pub(super) fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.levels.chunks_exact(self.width * self.height)
    }

    /// One channel after the other, to be changed.
    pub(super) fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.levels.chunks_exact_mut(self.width * self.height)
    }

    /// All pixels.
    pub(super) fn pixels_mut(&mut self) -> Pixels<'_> {
        let plane = self.width * self.height;
        let (red, rest) = self.levels.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        Pixels { red, green, blue }
    }

    /// Turns the levels to numbers for a network, as [`Normalisation::write_chw`] does it.
    pub(super) fn normalise(mut self, normalisation: &Normalisation) {
        for (channel, plane) in self.planes_mut().enumerate() {
            let line = normalisation.line(channel);
            Arch::new().dispatch(|| plane.iter_mut().for_each(|level| *level = line.at(*level)));
        }
    }
}

impl<'a> Pixels<'a> {
    /// The pixels in blocks that stay in the first-level cache while one change after another is made to them.
    pub(super) fn blocks(self) -> impl Iterator<Item = Pixels<'a>> {
        const BLOCK: usize = 1024;
        let channels =
            self.red.chunks_mut(BLOCK).zip(self.green.chunks_mut(BLOCK)).zip(self.blue.chunks_mut(BLOCK));
        channels.map(|((red, green), blue)| Pixels { red, green, blue })
    }
}
