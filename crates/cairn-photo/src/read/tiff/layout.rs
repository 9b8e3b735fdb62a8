//! How the pixels of a TIFF are laid out in the file: what its first directory says (TIFF 6.0).

use crate::ifd::{Directory, Tiff};
use crate::read::Limits;
use crate::read::decode::check_size;
use crate::read::decode_error::{DecodeError, corrupt, unsupported};

/// TIFF tags, by the names of the specification.
mod tag {
    pub(super) const IMAGE_WIDTH: u16 = 256;
    pub(super) const IMAGE_LENGTH: u16 = 257;
    pub(super) const BITS_PER_SAMPLE: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC_INTERPRETATION: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const PLANAR_CONFIGURATION: u16 = 284;
    pub(super) const PREDICTOR: u16 = 317;
    pub(super) const COLOR_MAP: u16 = 320;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_LENGTH: u16 = 323;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_BYTE_COUNTS: u16 = 325;
    pub(super) const EXTRA_SAMPLES: u16 = 338;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
    pub(super) const JPEG_TABLES: u16 = 347;
    pub(super) const YCBCR_COEFFICIENTS: u16 = 529;
    pub(super) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(super) const REFERENCE_BLACK_WHITE: u16 = 532;

    /// All of them: one that cannot be read would change the picture.
    pub(super) const ALL: [u16; 23] = [
        IMAGE_WIDTH,
        IMAGE_LENGTH,
        BITS_PER_SAMPLE,
        COMPRESSION,
        PHOTOMETRIC_INTERPRETATION,
        FILL_ORDER,
        STRIP_OFFSETS,
        SAMPLES_PER_PIXEL,
        ROWS_PER_STRIP,
        STRIP_BYTE_COUNTS,
        PLANAR_CONFIGURATION,
        PREDICTOR,
        COLOR_MAP,
        TILE_WIDTH,
        TILE_LENGTH,
        TILE_OFFSETS,
        TILE_BYTE_COUNTS,
        EXTRA_SAMPLES,
        SAMPLE_FORMAT,
        JPEG_TABLES,
        YCBCR_COEFFICIENTS,
        YCBCR_SUBSAMPLING,
        REFERENCE_BLACK_WHITE,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// CCITT group 4.
    Fax4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}

impl Photometric {
    /// Samples that make up a colour.
    pub(super) fn samples(self) -> usize {
        match self {
            Photometric::WhiteIsZero | Photometric::BlackIsZero | Photometric::Palette => 1,
            Photometric::Rgb | Photometric::YCbCr => 3,
            Photometric::Cmyk => 4,
        }
    }
}

/// What the first sample beyond the colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Nothing: there is none, or it means something else.
    None,
    /// Opacity; the colour is multiplied by it already.
    Associated,
    /// Opacity.
    Unassociated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Horizontal,
    FloatingPoint,
}

/// The layout of a picture.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Of every sample.
    pub(super) bits: u32,
    /// Whether samples are IEEE floating point, 0 to 1.
    pub(super) float: bool,
    /// In each pixel.
    pub(super) samples: usize,
    pub(super) photometric: Photometric,
    pub(super) alpha: Alpha,
    pub(super) compression: Compression,
    pub(super) predictor: Predictor,
    pub(super) little_endian: bool,
    /// Whether the first pixel of a byte is in its lowest bit.
    pub(super) reversed_bits: bool,
    /// Whether each sample of the pixels is in chunks of its own.
    planar: bool,
    /// Columns and rows of a chunk: a strip or a tile.
    chunk_size: [u32; 2],
    tiled: bool,
    /// Offset and length of each chunk.
    pub(super) ranges: Vec<(u64, u64)>,
    /// Quantisation and Huffman tables of all JPEG chunks.
    pub(super) jpeg_tables: Option<&'a [u8]>,
    /// Red, green and blue of each palette index, 16 bits each: all reds first.
    pub(super) color_map: Vec<u16>,
    /// Columns and rows of pixels that share a chroma sample.
    pub(super) subsampling: [u32; 2],
    /// What red, green and blue contribute to luma.
    pub(super) luma: [f32; 3],
    /// The samples that stand for black and white in luma and both chroma.
    pub(super) reference_black_white: [f32; 6],
}

/// One strip or tile.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Its number in its plane.
    pub(super) index: usize,
    /// Position of its first pixel in the picture.
    pub(super) x: u32,
    pub(super) y: u32,
    /// Rows that are stored: a tile's may reach beyond the picture.
    pub(super) rows: u32,
    /// Rows in the picture.
    pub(super) visible_rows: u32,
    /// Columns in the picture.
    pub(super) visible_columns: u32,
}

/// More samples in a pixel are not a photo.
const MAX_SAMPLES: u64 = 16;

impl<'a> Layout<'a> {
    /// The layout of the first picture in a file, which has no more pixels than allowed.
    pub(super) fn of(bytes: &'a [u8], limits: &Limits) -> Result<Layout<'a>, DecodeError> {
        let tiff = Tiff::of(bytes).ok_or(DecodeError::Truncated)?;
        let directory =
            tiff.first().and_then(|offset| tiff.directory(offset)).ok_or(DecodeError::Truncated)?;
        if !directory.is_whole || directory.unreadable.iter().any(|tag| tag::ALL.contains(tag)) {
            return Err(DecodeError::Truncated);
        }
        Layout::of_directory(&tiff, &directory, limits)
    }

    fn of_directory(
        tiff: &Tiff<'a>,
        directory: &Directory<'a>,
        limits: &Limits,
    ) -> Result<Layout<'a>, DecodeError> {
        let side = |tag| {
            let side = directory.integer(tag).and_then(|side| u32::try_from(side).ok());
            side.filter(|&side| side > 0).ok_or_else(|| corrupt("it does not say how large it is"))
        };
        let (width, height) = (side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?);
        check_size(width, height, limits)?;
        let number = |tag, default| directory.integer(tag).unwrap_or(default);

        let samples = number(tag::SAMPLES_PER_PIXEL, 1);
        if !(1..=MAX_SAMPLES).contains(&samples) {
            return Err(unsupported(&format!("{samples} samples per pixel")));
        }
        let samples = samples as usize;
        let compression = compression(number(tag::COMPRESSION, 1))?;
        let default_photometric = if samples < 3 { 1 } else { 2 };
        let photometric = photometric(number(tag::PHOTOMETRIC_INTERPRETATION, default_photometric))?;
        if samples < photometric.samples() {
            return Err(corrupt("it has fewer samples per pixel than its colours need"));
        }
        let same = |tag, default, what: &str| same_of_all(directory, tag, default, what);
        let bits = same(tag::BITS_PER_SAMPLE, 1, "samples of several depths")?;
        let float = match same(tag::SAMPLE_FORMAT, 1, "samples of several types")? {
            1 | 4 => false,
            3 => true,
            _ => return Err(unsupported("signed or complex samples")),
        };
        match (float, bits) {
            (false, 1..=16 | 32) | (true, 32 | 64) => {}
            (false, _) => return Err(unsupported(&format!("{bits} bits per sample"))),
            (true, _) => return Err(unsupported(&format!("floating point of {bits} bits"))),
        }
        let predictor = match number(tag::PREDICTOR, 1) {
            1 => Predictor::None,
            2 if matches!(bits, 8 | 16 | 32) => Predictor::Horizontal,
            3 if float => Predictor::FloatingPoint,
            predictor => {
                return Err(unsupported(&format!("predictor {predictor} on samples of {bits} bits")));
            }
        };
        let planar = samples > 1 && number(tag::PLANAR_CONFIGURATION, 1) == 2;
        let tiled = directory.entry(tag::TILE_OFFSETS).is_some();
        let chunk_size = if tiled {
            [side(tag::TILE_WIDTH)?, side(tag::TILE_LENGTH)?]
        } else {
            let rows = number(tag::ROWS_PER_STRIP, u64::from(height)).clamp(1, u64::from(height));
            [width, rows as u32]
        };
        let list = |tag| -> Vec<u64> {
            directory.entry(tag).map(|entry| entry.integers().flatten().collect()).unwrap_or_default()
        };
        let mut layout = Layout {
            width,
            height,
            bits: bits as u32,
            float,
            samples,
            photometric,
            alpha: alpha(photometric, samples, &list(tag::EXTRA_SAMPLES)),
            compression,
            predictor,
            little_endian: tiff.is_little_endian(),
            reversed_bits: number(tag::FILL_ORDER, 1) == 2,
            planar,
            chunk_size,
            tiled,
            ranges: Vec::new(),
            jpeg_tables: directory.entry(tag::JPEG_TABLES).map(|entry| entry.bytes()),
            color_map: list(tag::COLOR_MAP).into_iter().map(|value| value.min(65_535) as u16).collect(),
            subsampling: [1, 1],
            luma: [0.299, 0.587, 0.114],
            reference_black_white: [0.0, 255.0, 128.0, 255.0, 128.0, 255.0],
        };
        if photometric == Photometric::YCbCr {
            layout.read_ycbcr(directory, &list(tag::YCBCR_SUBSAMPLING))?;
        }
        layout.ranges = layout.ranges_of(tiled, list)?;
        Ok(layout)
    }

    fn read_ycbcr(&mut self, directory: &Directory<'a>, subsampling: &[u64]) -> Result<(), DecodeError> {
        if self.bits != 8 {
            return Err(unsupported("YCbCr of other than 8 bits"));
        }
        // JPEG has its own subsampling, which its decoder undoes.
        if self.compression != Compression::Jpeg {
            self.subsampling = match *subsampling {
                [columns @ (1 | 2 | 4), rows @ (1 | 2 | 4), ..] => [columns as u32, rows as u32],
                [] => [2, 2],
                _ => return Err(corrupt("its chroma has an impossible subsampling")),
            };
        }
        if self.is_subsampled() && (self.planar || self.samples != 3 || self.predictor != Predictor::None) {
            return Err(unsupported("subsampled chroma in planes of its own"));
        }
        let rationals = |tag| -> Vec<f32> {
            let entry = directory.entry(tag);
            entry
                .map(|entry| entry.rationals().flatten().map(|value| value as f32).collect())
                .unwrap_or_default()
        };
        if let Ok(luma) = <[f32; 3]>::try_from(rationals(tag::YCBCR_COEFFICIENTS)) {
            // Green is divided by its weight.
            if luma[1] > 0.01 && luma.iter().all(|weight| (0.0..=1.0).contains(weight)) {
                self.luma = luma;
            }
        }
        if let Ok(reference) = <[f32; 6]>::try_from(rationals(tag::REFERENCE_BLACK_WHITE))
            && reference.as_chunks::<2>().0.iter().all(|[black, white]| white > black)
        {
            self.reference_black_white = reference;
        }
        Ok(())
    }

    fn ranges_of(&self, tiled: bool, list: impl Fn(u16) -> Vec<u64>) -> Result<Vec<(u64, u64)>, DecodeError> {
        let (offsets, lengths) = if tiled {
            (list(tag::TILE_OFFSETS), list(tag::TILE_BYTE_COUNTS))
        } else {
            (list(tag::STRIP_OFFSETS), list(tag::STRIP_BYTE_COUNTS))
        };
        let count = self.chunks_per_plane().saturating_mul(self.planes());
        if offsets.len() < count {
            return Err(corrupt("it does not say where all its pixels are"));
        }
        // Old programs leave the length of uncompressed strips to the reader.
        if lengths.len() < count && self.compression != Compression::None {
            return Err(corrupt("it does not say where its pixels end"));
        }
        let length = |index: usize| lengths.get(index).copied().unwrap_or_else(|| self.chunk_bytes());
        Ok(offsets.into_iter().take(count).enumerate().map(|(index, at)| (at, length(index))).collect())
    }

    /// Chunks that hold one pixel's samples: as many as samples, if each is in chunks of its own.
    pub(super) fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }

    /// Samples of a pixel that are in one chunk.
    pub(super) fn samples_in_chunk(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Columns of a chunk, also those beyond the picture.
    pub(super) fn chunk_columns(&self) -> usize {
        self.chunk_size[0] as usize
    }

    fn chunks_across(&self) -> u32 {
        self.width.div_ceil(self.chunk_size[0])
    }

    pub(super) fn chunks_per_plane(&self) -> usize {
        self.chunks_across() as usize * self.height.div_ceil(self.chunk_size[1]) as usize
    }

    /// All strips or tiles, in the order of the file.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> {
        let [columns, rows] = self.chunk_size;
        (0..self.chunks_per_plane()).map(move |index| {
            let across = self.chunks_across() as usize;
            let (x, y) = ((index % across) as u32 * columns, (index / across) as u32 * rows);
            let visible_rows = rows.min(self.height - y);
            let stored_rows = if self.tiled { rows } else { visible_rows };
            let visible_columns = columns.min(self.width - x);
            Chunk { index, x, y, rows: stored_rows, visible_rows, visible_columns }
        })
    }

    /// Bytes of a row of a chunk without subsampling.
    pub(super) fn row_bytes(&self) -> usize {
        usize::try_from(self.row_bits().div_ceil(8)).unwrap_or(usize::MAX)
    }

    fn row_bits(&self) -> u64 {
        u64::from(self.chunk_size[0]) * u64::from(self.bits) * self.samples_in_chunk() as u64
    }

    /// Bytes of a whole chunk without subsampling, which is the more.
    pub(super) fn chunk_bytes(&self) -> u64 {
        self.row_bits().div_ceil(8).saturating_mul(u64::from(self.chunk_size[1]))
    }

    /// Bytes of a chunk as it is stored once it is decompressed.
    pub(super) fn stored_bytes(&self, chunk: &Chunk) -> usize {
        if self.is_subsampled() {
            let [columns, rows] = self.subsampling;
            let blocks = self.chunk_size[0].div_ceil(columns) as usize * chunk.rows.div_ceil(rows) as usize;
            blocks * (columns * rows + 2) as usize
        } else {
            self.row_bytes() * chunk.rows as usize
        }
    }

    pub(super) fn is_subsampled(&self) -> bool {
        self.subsampling != [1, 1]
    }
}

/// The value of all samples; they can be given one by one.
fn same_of_all(directory: &Directory<'_>, tag: u16, default: u64, what: &str) -> Result<u64, DecodeError> {
    let Some(entry) = directory.entry(tag) else { return Ok(default) };
    let mut values = entry.integers().flatten();
    let first = values.next().unwrap_or(default);
    if values.any(|value| value != first) {
        return Err(unsupported(what));
    }
    Ok(first)
}

fn compression(number: u64) -> Result<Compression, DecodeError> {
    match number {
        1 => Ok(Compression::None),
        4 => Ok(Compression::Fax4),
        5 => Ok(Compression::Lzw),
        7 => Ok(Compression::Jpeg),
        8 | 32_946 => Ok(Compression::Deflate),
        32_773 => Ok(Compression::PackBits),
        2 | 3 => Err(unsupported("CCITT group 3 compression")),
        6 => Err(unsupported("JPEG compression of the old style")),
        50_000 => Err(unsupported("Zstandard compression")),
        50_001 => Err(unsupported("WebP compression")),
        number => Err(unsupported(&format!("compression {number}"))),
    }
}

fn photometric(number: u64) -> Result<Photometric, DecodeError> {
    match number {
        0 => Ok(Photometric::WhiteIsZero),
        1 => Ok(Photometric::BlackIsZero),
        2 => Ok(Photometric::Rgb),
        3 => Ok(Photometric::Palette),
        5 => Ok(Photometric::Cmyk),
        6 => Ok(Photometric::YCbCr),
        4 => Err(unsupported("a transparency mask instead of a picture")),
        8..=10 => Err(unsupported("L*a*b* colours")),
        32_844 | 32_845 => Err(unsupported("LogLuv colours")),
        number => Err(unsupported(&format!("colours of kind {number}"))),
    }
}

fn alpha(photometric: Photometric, samples: usize, extra: &[u64]) -> Alpha {
    let has_more = samples > photometric.samples();
    match extra.first() {
        Some(1) if has_more => Alpha::Associated,
        Some(2) if has_more => Alpha::Unassociated,
        // Four samples of RGB that are not explained: as in Pillow, the fourth is opacity.
        None if photometric == Photometric::Rgb && samples == 4 => Alpha::Unassociated,
        _ => Alpha::None,
    }
}
