//! HEIC: still pictures of HEVC video in the HEIF container, alone or as a grid of tiles as phones write them
//! (ISO/IEC 23008-12). Why these decoders: docs/decisions/009-heic.md.

use heifer_hevc_dec::decoder::{DecodeOptions, decode_picture};
use heifer_hevc_dec::recon::Frame;
use heifer_isobmff::boxes::{ColorInfo, Property};
use heifer_isobmff::{HeifFile, ItemId};
use image::{RgbImage, imageops};

use super::Limits;
use super::allowance::Allowance;
use super::colorimetry::{Colorimetry, RgbTables};
use super::decode::check_size;
use super::decode_error::{DecodeError, corrupt};
use crate::embedded::parse_heif;

/// The picture in `bytes`, cropped, turned and mirrored as the container says, what is transparent laid on white. An EXIF
/// orientation in the same file has no meaning beside that.
pub(super) fn decode(bytes: &[u8], allowance: &Allowance<'_>) -> Result<RgbImage, DecodeError> {
    let file = parse_heif(bytes).ok_or_else(|| corrupt("it describes too many pictures"))??;
    let primary = file.primary_id;
    let tiles = Tiles::of(&file, primary)?;
    let needed = tiles.needed_bytes(bytes.len(), allowance.limits())?;
    allowance.reserve(tiles.width, tiles.height, needed)?;
    let mut work = Work::new(bytes.len(), tiles.items.len(), allowance);

    let mut picture = RgbImage::new(tiles.width, tiles.height);
    tiles.decode(&file, &mut work, |x, y, item, frame| {
        draw(&mut picture, x, y, frame, &colorimetry(&file, &[item, primary], frame)?)
    })?;
    if let Some(alpha) = alpha_of(&file, primary)? {
        lay_on_white(&file, alpha, &mut picture, &mut work)?;
    }
    file.item_properties(primary)?.try_fold(picture, transformed)
}

fn unsupported(what: &str) -> DecodeError {
    DecodeError::Unsupported(format!("convert it to JPEG (it has {what})"))
}

impl From<heifer_isobmff::Error> for DecodeError {
    fn from(error: heifer_isobmff::Error) -> DecodeError {
        match error {
            heifer_isobmff::Error::UnexpectedEof => DecodeError::Truncated,
            heifer_isobmff::Error::Unimplemented(what) => unsupported(what),
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

impl From<heifer_hevc_dec::Error> for DecodeError {
    fn from(error: heifer_hevc_dec::Error) -> DecodeError {
        match error {
            heifer_hevc_dec::Error::UnexpectedEof => DecodeError::Truncated,
            heifer_hevc_dec::Error::Unimplemented(what) => unsupported(what),
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

/// The coded pictures that an item is made of, side by side.
struct Tiles {
    /// Of the whole.
    width: u32,
    height: u32,
    tile_width: u32,
    tile_height: u32,
    columns: u32,
    /// Row by row.
    items: Vec<ItemId>,
}

impl Tiles {
    fn of(file: &HeifFile<'_>, item: ItemId) -> Result<Tiles, DecodeError> {
        let size = |item| file.image_size(item)?.ok_or_else(|| corrupt("it does not say how large it is"));
        let coded = |item| file.item(item).map(|item| matches!(&item.item_type.0, b"hvc1" | b"hev1"));
        match &file.item(item)?.item_type.0 {
            b"hvc1" | b"hev1" => {
                let (width, height) = size(item)?;
                let (tile_width, tile_height) = (width, height);
                Ok(Tiles { width, height, tile_width, tile_height, columns: 1, items: vec![item] })
            }
            b"grid" => {
                let grid = file.grid(item)?;
                let items = file.referenced_items(item, b"dimg").to_vec();
                let first = *items.first().ok_or_else(|| corrupt("its grid has no tiles"))?;
                if items.len() != usize::from(grid.rows) * usize::from(grid.columns) {
                    return Err(corrupt("its grid has too few or too many tiles"));
                }
                for &tile in &items {
                    if !coded(tile)? {
                        return Err(unsupported("a grid of pictures of other kinds"));
                    }
                }
                let (tile_width, tile_height) = size(first)?;
                Ok(Tiles {
                    width: grid.output_width,
                    height: grid.output_height,
                    tile_width,
                    tile_height,
                    columns: u32::from(grid.columns),
                    items,
                })
            }
            other => Err(unsupported(&format!("a picture of kind `{}`", other.escape_ascii()))),
        }
    }

    /// Bytes that decoding takes. Refuses what would take too many, or too much time: by its pixels, or by tiles far
    /// outside of the picture.
    fn needed_bytes(&self, file_bytes: usize, limits: &Limits) -> Result<u64, DecodeError> {
        check_size(self.width, self.height, limits)?;
        check_size(self.tile_width, self.tile_height, limits)?;
        let rows = (self.items.len() as u32).div_ceil(self.columns);
        let tiled = |tiles: u32, tile: u32, whole: u32| {
            let covered = u64::from(tiles) * u64::from(tile);
            covered >= u64::from(whole) && covered - u64::from(tile) < u64::from(whole)
        };
        let exact =
            tiled(self.columns, self.tile_width, self.width) && tiled(rows, self.tile_height, self.height);
        if self.width == 0 || self.height == 0 || !exact {
            return Err(corrupt("its tiles do not cover the picture"));
        }
        // The picture, and a tile while it is decoded: luma and chroma of 16 bits, a copy of them for the filters, and
        // what is known of each 4 x 4 pixels.
        let whole = u64::from(self.width) * u64::from(self.height) * 3;
        let tile = u64::from(self.tile_width) * u64::from(self.tile_height) * 12;
        if whole + tile + file_bytes as u64 > limits.max_bytes {
            return Err(DecodeError::TooMuchMemory);
        }
        // Turning the picture makes a second one.
        Ok(2 * whole + tile)
    }

    /// Decodes tile after tile and hands each on with its position.
    fn decode(
        &self,
        file: &HeifFile<'_>,
        work: &mut Work<'_, '_>,
        mut take: impl FnMut(u32, u32, ItemId, &Frame) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        // A coded picture's sides are multiples of its smallest block, 64 px at most.
        let coded = |side: u32| u64::from(side.next_multiple_of(64));
        let max_pixels = coded(self.tile_width) * coded(self.tile_height);
        for (index, &item) in (0..).zip(&self.items) {
            let stream = file.hevc_bitstream(item)?;
            work.spend(stream.len())?;
            let frame = decode_picture(&stream, DecodeOptions { max_pixels, ..DecodeOptions::default() })?;
            if frame.widths[0] < self.tile_width || frame.heights[0] < self.tile_height {
                return Err(corrupt("a picture in it is smaller than the file says"));
            }
            let (column, row) = (index % self.columns, index / self.columns);
            take(column * self.tile_width, row * self.tile_height, item, &frame)?;
        }
        Ok(())
    }
}

/// Bytes that may still be decoded: a small file can name the same bytes for each of its tiles.
struct Work<'a, 'budget> {
    bytes: usize,
    allowance: &'a Allowance<'budget>,
}

impl<'a, 'budget> Work<'a, 'budget> {
    fn new(file_bytes: usize, tiles: usize, allowance: &'a Allowance<'budget>) -> Work<'a, 'budget> {
        // Besides the pixels, each tile has parameters of some hundred bytes, which all share.
        Work { bytes: file_bytes.saturating_mul(2).saturating_add(tiles.saturating_mul(8192)), allowance }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.allowance.check_time()?;
        self.bytes =
            self.bytes.checked_sub(bytes).ok_or_else(|| corrupt("its pictures are longer than the file"))?;
        Ok(())
    }
}

/// What the first of the items that says it says about colours, or else the coded picture.
fn colorimetry(file: &HeifFile<'_>, items: &[ItemId], frame: &Frame) -> Result<Colorimetry, DecodeError> {
    for &item in items {
        let said = file.item_properties(item)?.find_map(|property| match property {
            &Property::Color(ColorInfo::Nclx { matrix, full_range, .. }) => Some((matrix, full_range)),
            _ => None,
        });
        if let Some((matrix, full_range)) = said {
            return Colorimetry::of(matrix, full_range);
        }
    }
    Colorimetry::of(u16::from(frame.matrix_coeffs), frame.full_range)
}

/// Draws a tile as far as it is in the picture.
fn draw(
    picture: &mut RgbImage,
    x: u32,
    y: u32,
    frame: &Frame,
    colorimetry: &Colorimetry,
) -> Result<(), DecodeError> {
    // Columns and rows that share a chroma sample, as powers of two.
    let (across, down) = match frame.chroma_format {
        0 => (u32::BITS - 1, u32::BITS - 1),
        1 => (1, 1),
        2 => (1, 0),
        _ => (0, 0),
    };
    let tables = RgbTables::new(colorimetry, frame.bit_depth.map(u32::from));
    let width = frame.widths[0].min(picture.width().saturating_sub(x)) as usize;
    let height = frame.heights[0].min(picture.height().saturating_sub(y));
    let row_of = |plane: usize, row: u32| -> Option<&[u16]> {
        let stride = frame.widths[plane] as usize;
        frame.planes[plane].get(row as usize * stride..)?.get(..stride)
    };
    let stride = picture.width() as usize * 3;
    let has_colors = frame.chroma_format != 0;
    for row in 0..height {
        let damaged = || corrupt("a picture in it has too few pixels");
        let luma = row_of(0, row).ok_or_else(damaged)?;
        let chroma_row = |plane| match has_colors {
            true => row_of(plane, row >> down).ok_or_else(damaged),
            false => Ok(&[][..]),
        };
        let (blue, red) = (chroma_row(1)?, chroma_row(2)?);
        let start = (y + row) as usize * stride + x as usize * 3;
        let pixels = picture.as_mut()[start..start + width * 3].as_chunks_mut::<3>().0;
        for (column, (pixel, &luma)) in pixels.iter_mut().zip(luma).enumerate() {
            let chroma = column >> across;
            *pixel = match (blue.get(chroma), red.get(chroma)) {
                (Some(&blue), Some(&red)) => tables.color(luma, blue, red),
                _ => tables.grey(luma),
            };
        }
    }
    Ok(())
}

/// The item that says how opaque an item's pixels are.
fn alpha_of(file: &HeifFile<'_>, item: ItemId) -> Result<Option<ItemId>, DecodeError> {
    const KINDS: [&str; 2] = ["urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"];
    for candidate in file.referencing_items(item, b"auxl") {
        let is_alpha = file.item_properties(candidate)?.any(
            |property| matches!(property, Property::AuxiliaryType(kind) if KINDS.contains(&kind.as_str())),
        );
        if is_alpha {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

fn lay_on_white(
    file: &HeifFile<'_>,
    alpha: ItemId,
    picture: &mut RgbImage,
    work: &mut Work<'_, '_>,
) -> Result<(), DecodeError> {
    let tiles = Tiles::of(file, alpha)?;
    if (tiles.width, tiles.height) != picture.dimensions() {
        return Err(unsupported("transparency of another size"));
    }
    // As large as the picture, which has been checked; a second one is not made.
    tiles.needed_bytes(0, &Limits { max_bytes: u64::MAX, ..Limits::default() })?;
    tiles.decode(file, work, |x, y, item, frame| {
        let colorimetry = colorimetry(file, &[item, alpha], frame)?;
        let tables = RgbTables::new(&colorimetry, frame.bit_depth.map(u32::from));
        let (width, height) = (picture.width().saturating_sub(x), picture.height().saturating_sub(y));
        for row in 0..frame.heights[0].min(height) {
            let stride = frame.widths[0] as usize;
            let opacities = frame.planes[0].get(row as usize * stride..).unwrap_or_default();
            for (column, &opacity) in (0..frame.widths[0].min(width)).zip(opacities) {
                let [opacity, ..] = tables.grey(opacity).map(u32::from);
                let pixel = picture.get_pixel_mut(x + column, y + row);
                pixel.0 = pixel
                    .0
                    .map(|value| ((u32::from(value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8);
            }
        }
        Ok(())
    })
}

/// Applies a property that crops, turns or mirrors.
fn transformed(picture: RgbImage, property: &Property) -> Result<RgbImage, DecodeError> {
    Ok(match *property {
        Property::CleanAperture { width, height, horiz_offset, vert_offset } => {
            let (x, width) = aperture(width, horiz_offset, picture.width())?;
            let (y, height) = aperture(height, vert_offset, picture.height())?;
            imageops::crop_imm(&picture, x, y, width, height).to_image()
        }
        // Counterclockwise; `imageops` turns clockwise.
        Property::Rotation(1) => imageops::rotate270(&picture),
        Property::Rotation(2) => imageops::rotate180(&picture),
        Property::Rotation(3) => imageops::rotate90(&picture),
        Property::Mirror(true) => imageops::flip_vertical(&picture),
        Property::Mirror(false) => imageops::flip_horizontal(&picture),
        _ => picture,
    })
}

/// The first column (or row) and their number of a clean aperture, whose offset is from middle to middle (ISO/IEC
/// 14496-12, section 12.1.4).
fn aperture(size: (u32, u32), offset: (i32, u32), whole: u32) -> Result<(u32, u32), DecodeError> {
    let size = (f64::from(size.0) / f64::from(size.1)).round();
    let middle = f64::from(offset.0) / f64::from(offset.1) + f64::from(whole) / 2.0;
    let start = (middle - size / 2.0).round();
    let inside = size >= 1.0 && start >= 0.0 && start + size <= f64::from(whole);
    if inside { Ok((start as u32, size as u32)) } else { Err(corrupt("it is cropped to what is not there")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aperture_is_inside_of_the_picture_or_an_error() {
        assert_eq!(aperture((700, 1), (0, 1), 704).unwrap(), (2, 700));
        // 701 of 704 columns from the left: the middle is one and a half columns to the left of the middle.
        assert_eq!(aperture((701, 1), (-3, 2), 704).unwrap(), (0, 701));
        for (size, offset) in
            [((705, 1), (0, 1)), ((700, 1), (3, 1)), ((0, 1), (0, 1)), ((7, 0), (0, 1)), ((7, 1), (0, 0))]
        {
            assert!(aperture(size, offset, 704).is_err(), "{size:?} {offset:?}");
        }
    }
}
