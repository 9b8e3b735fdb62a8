//! Where, when and with which camera a photo was taken: its EXIF data.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::embedded::Embedded;
use crate::ifd::{Directory, Tiff};

/// Where, when and with which camera a photo was taken, as far as its EXIF data says so (Exif 2.32, CIPA DC-008).
///
/// Missing, damaged or absurd data is `None`; it never makes a photo unreadable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhotoMetadata {
    /// Where it was taken.
    pub position: Option<GpsPosition>,
    /// When it was taken: by the camera's clock, else by GPS.
    pub taken: Option<TimeTaken>,
    /// The camera's maker, such as "Apple".
    pub make: Option<String>,
    /// The camera's model, such as "iPhone 12".
    pub model: Option<String>,
    /// The camera's serial number.
    pub serial: Option<String>,
    /// The error of the position in metres (GPSHPositioningError), where the camera says so.
    pub position_error_m: Option<f64>,
}

/// A position on the Earth (WGS 84), in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpsPosition {
    /// -90 (south) to 90 (north).
    pub latitude: f64,
    /// -180 (west) to 180 (east).
    pub longitude: f64,
}

/// A date and a time of day. Displayed as RFC 3339 has it, without an offset where none is known:
/// `2019-07-14T15:04:05+02:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeTaken {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Minutes that this clock was ahead of UTC, if the photo says so. GPS time is UTC.
    pub offset_minutes: Option<i16>,
}

/// Larger files than this are not looked at.
const MAX_FILE_BYTES: u64 = 1 << 30;

impl PhotoMetadata {
    /// Reads the metadata of a file. A file that cannot be read or is no photo has none.
    pub fn open(path: impl AsRef<Path>) -> PhotoMetadata {
        read_regular_file(path.as_ref()).map(|bytes| PhotoMetadata::from_bytes(&bytes)).unwrap_or_default()
    }

    /// The metadata in a file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> PhotoMetadata {
        let embedded = Embedded::of(bytes);
        let main = embedded.exif.as_deref().and_then(first_directory);
        let child = |tag| main.as_ref().and_then(|main| main.child(tag));
        let exposure = embedded.exposure.and_then(first_directory).or_else(|| child(tag::EXIF_DIRECTORY));
        let gps = embedded.gps.and_then(first_directory).or_else(|| child(tag::GPS_DIRECTORY));
        PhotoMetadata {
            position: gps.as_ref().and_then(position),
            taken: exposure.as_ref().and_then(camera_time).or_else(|| gps.as_ref().and_then(gps_time)),
            make: main.as_ref().and_then(|main| main.text(tag::MAKE)),
            model: main.as_ref().and_then(|main| main.text(tag::MODEL)),
            serial: exposure
                .as_ref()
                .and_then(|exposure| exposure.text(tag::BODY_SERIAL_NUMBER))
                .or_else(|| main.as_ref().and_then(|main| main.text(tag::CAMERA_SERIAL_NUMBER))),
            position_error_m: gps
                .as_ref()
                .and_then(|gps| gps.entry(tag::GPS_H_POSITIONING_ERROR)?.rationals().next()?)
                .filter(|metres| *metres > 0.0),
        }
    }
}

/// The XMP packet in a photo's bytes, wherever its format keeps it. Not what a JPEG keeps in further segments (extended XMP).
pub fn xmp_packet(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    Embedded::of(bytes).xmp
}

fn first_directory(bytes: &[u8]) -> Option<Directory<'_>> {
    let tiff = Tiff::of(bytes)?;
    tiff.directory(tiff.first()?)
}

/// EXIF tags, by the names of the standard.
mod tag {
    pub(super) const MAKE: u16 = 0x010F;
    pub(super) const MODEL: u16 = 0x0110;
    pub(super) const EXIF_DIRECTORY: u16 = 0x8769;
    pub(super) const GPS_DIRECTORY: u16 = 0x8825;
    pub(super) const DATE_TIME_ORIGINAL: u16 = 0x9003;
    pub(super) const DATE_TIME_DIGITIZED: u16 = 0x9004;
    pub(super) const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
    pub(super) const OFFSET_TIME_DIGITIZED: u16 = 0x9012;
    pub(super) const BODY_SERIAL_NUMBER: u16 = 0xA431;
    /// DNG's.
    pub(super) const CAMERA_SERIAL_NUMBER: u16 = 0xC62F;
    pub(super) const GPS_H_POSITIONING_ERROR: u16 = 0x1F;
    pub(super) const GPS_LATITUDE_REF: u16 = 1;
    pub(super) const GPS_LATITUDE: u16 = 2;
    pub(super) const GPS_LONGITUDE_REF: u16 = 3;
    pub(super) const GPS_LONGITUDE: u16 = 4;
    pub(super) const GPS_TIME_STAMP: u16 = 7;
    pub(super) const GPS_DATE_STAMP: u16 = 0x1D;
}

/// The file's bytes, as far as metadata can be in them; `None` for what is no regular file (a FIFO would be waited for) or
/// too large.
fn read_regular_file(path: &Path) -> Option<Vec<u8>> {
    /// A JPEG has its metadata before its pixels, in segments of 64 KiB at most.
    const HEAD_OF_JPEG: u64 = 1 << 19;
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_OF_JPEG).read_to_end(&mut bytes).ok()?;
    if !bytes.starts_with(b"\xFF\xD8") {
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    }
    (bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes)
}

fn position(gps: &Directory<'_>) -> Option<GpsPosition> {
    let latitude = degrees(gps, tag::GPS_LATITUDE, tag::GPS_LATITUDE_REF, ["N", "S"])?;
    let longitude = degrees(gps, tag::GPS_LONGITUDE, tag::GPS_LONGITUDE_REF, ["E", "W"])?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    // Where the Equator meets Greenwich's meridian is open sea: a camera without a fix writes it.
    (on_earth && (latitude, longitude) != (0.0, 0.0)).then_some(GpsPosition { latitude, longitude })
}

/// Degrees, minutes and seconds, and the hemisphere: positive or negative.
fn degrees(gps: &Directory<'_>, value: u16, reference: u16, [positive, negative]: [&str; 2]) -> Option<f64> {
    let reference = gps.text(reference)?.to_ascii_uppercase();
    let sign = match reference.get(..1)? {
        letter if letter == positive => 1.0,
        letter if letter == negative => -1.0,
        _ => return None,
    };
    let mut parts = gps.entry(value)?.rationals();
    let degrees = parts.next()??;
    // Minutes and seconds may be missing, or 0/0 where the degrees have decimals; what is there must be below 60.
    let [minutes, seconds] = [(); 2].map(|()| parts.next().flatten().unwrap_or(0.0));
    let sane = degrees >= 0.0 && (0.0..60.0).contains(&minutes) && (0.0..=60.0).contains(&seconds);
    sane.then(|| sign * (degrees + minutes / 60.0 + seconds / 3600.0))
}

/// By the camera's clock.
fn camera_time(exposure: &Directory<'_>) -> Option<TimeTaken> {
    let at = |time, offset| {
        let taken = TimeTaken::parse(&exposure.text(time)?)?;
        Some(TimeTaken {
            offset_minutes: exposure.text(offset).and_then(|text| parse_offset(&text)),
            ..taken
        })
    };
    at(tag::DATE_TIME_ORIGINAL, tag::OFFSET_TIME_ORIGINAL)
        .or_else(|| at(tag::DATE_TIME_DIGITIZED, tag::OFFSET_TIME_DIGITIZED))
}

/// By the satellites' clock, in UTC.
fn gps_time(gps: &Directory<'_>) -> Option<TimeTaken> {
    let date = gps.text(tag::GPS_DATE_STAMP)?;
    let mut parts = gps.entry(tag::GPS_TIME_STAMP)?.rationals();
    let [hour, minute, second] = [(); 3].map(|()| parts.next().flatten());
    let time = [hour?, minute?, second?].map(|part| part.floor().clamp(0.0, 99.0) as u8);
    let [hour, minute, second] = time;
    let taken = TimeTaken::parse(&format!("{date} {hour:02}:{minute:02}:{second:02}"))?;
    Some(TimeTaken { offset_minutes: Some(0), ..taken })
}

impl TimeTaken {
    /// EXIF's `2019:07:14 15:04:05`. Some programs write other separators.
    fn parse(text: &str) -> Option<TimeTaken> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let mut next = |min: u16, max: u16| {
            numbers.next()?.parse::<u16>().ok().filter(|number| (min..=max).contains(number))
        };
        // A camera whose clock was never set writes zeros.
        let (year, month, day) = (next(1800, 9999)?, next(1, 12)?, next(1, 31)?);
        let (hour, minute, second) = (next(0, 23)?, next(0, 59)?, next(0, 60)?);
        let [month, day, hour, minute, second] =
            [month, day, hour, minute, second].map(|number| number as u8);
        (day <= days_in_month(year, month)).then_some(TimeTaken {
            year,
            month,
            day,
            hour,
            minute,
            second,
            offset_minutes: None,
        })
    }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// EXIF's `+02:00`, in minutes. The farthest clocks are 14 hours ahead of UTC.
fn parse_offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

impl fmt::Display for TimeTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TimeTaken { year, month, day, hour, minute, second, offset_minutes } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match offset_minutes {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if *offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A big-endian directory at `offset`, its long values after it.
    fn directory(offset: usize, entries: &[(u16, u16, u32, Vec<u8>)]) -> Vec<u8> {
        let mut head = (entries.len() as u16).to_be_bytes().to_vec();
        let mut tail = Vec::new();
        let values_at = offset + 2 + entries.len() * 12 + 4;
        for (tag, kind, count, value) in entries {
            head.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
            head.extend(count.to_be_bytes());
            if value.len() <= 4 {
                let mut value = value.clone();
                value.resize(4, 0);
                head.extend(value);
            } else {
                head.extend(((values_at + tail.len()) as u32).to_be_bytes());
                tail.extend(value);
            }
        }
        head.extend([0; 4]);
        [head, tail].concat()
    }

    fn text(tag: u16, value: &str) -> (u16, u16, u32, Vec<u8>) {
        let bytes = [value.as_bytes(), b"\0"].concat();
        (tag, 2, bytes.len() as u32, bytes)
    }

    fn rationals(tag: u16, values: &[(u32, u32)]) -> (u16, u16, u32, Vec<u8>) {
        let bytes = values.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()].concat());
        (tag, 5, values.len() as u32, bytes.collect())
    }

    type Entries = Vec<(u16, u16, u32, Vec<u8>)>;

    /// A block of EXIF with the given GPS and EXIF directories.
    fn exif(details: &Entries, gps: &Entries) -> Vec<u8> {
        let (details_at, gps_at) = (1000_u32, 2000_u32);
        let main = [
            text(tag::MAKE, "Apple"),
            text(tag::MODEL, "iPhone 12 "),
            (tag::EXIF_DIRECTORY, 4, 1, details_at.to_be_bytes().to_vec()),
            (tag::GPS_DIRECTORY, 4, 1, gps_at.to_be_bytes().to_vec()),
        ];
        let mut bytes = b"MM\0\x2A\0\0\0\x08".to_vec();
        bytes.extend(directory(8, &main));
        bytes.resize(details_at as usize, 0);
        bytes.extend(directory(details_at as usize, details));
        bytes.resize(gps_at as usize, 0);
        bytes.extend(directory(gps_at as usize, gps));
        bytes
    }

    fn gps(
        latitude: [(u32, u32); 3],
        latitude_ref: &str,
        longitude: [(u32, u32); 3],
        longitude_ref: &str,
    ) -> Entries {
        vec![
            text(tag::GPS_LATITUDE_REF, latitude_ref),
            rationals(tag::GPS_LATITUDE, &latitude),
            text(tag::GPS_LONGITUDE_REF, longitude_ref),
            rationals(tag::GPS_LONGITUDE, &longitude),
        ]
    }

    fn position_of(gps: Entries) -> Option<GpsPosition> {
        PhotoMetadata::from_bytes(&exif(&vec![], &gps)).position
    }

    #[test]
    fn a_position_has_the_sign_of_its_hemisphere() {
        let north_east = [(48, 1), (51, 1), (2970, 100)];
        let east = [(2, 1), (17, 1), (4020, 100)];
        let (latitude, longitude) = (48.0 + 51.0 / 60.0 + 29.7 / 3600.0, 2.0 + 17.0 / 60.0 + 40.2 / 3600.0);
        for (latitude_ref, longitude_ref, signs) in [
            ("N", "E", [1.0, 1.0]),
            ("S", "E", [-1.0, 1.0]),
            ("N", "W", [1.0, -1.0]),
            ("S", "W", [-1.0, -1.0]),
        ] {
            let found = position_of(gps(north_east, latitude_ref, east, longitude_ref)).unwrap();
            assert!((found.latitude - signs[0] * latitude).abs() < 1e-9, "{found:?}");
            assert!((found.longitude - signs[1] * longitude).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_position_that_cannot_be_is_none() {
        let fine = [(10, 1), (0, 1), (0, 1)];
        assert!(position_of(gps(fine, "N", fine, "E")).is_some());
        assert!(position_of(gps([(0, 1); 3], "N", [(0, 1); 3], "E")).is_none(), "no fix");
        assert!(position_of(gps([(91, 1), (0, 1), (0, 1)], "N", fine, "E")).is_none());
        assert!(position_of(gps(fine, "N", [(181, 1), (0, 1), (0, 1)], "E")).is_none());
        assert!(position_of(gps([(10, 0), (0, 1), (0, 1)], "N", fine, "E")).is_none(), "divided by zero");
        assert!(position_of(gps([(10, 1), (70, 1), (0, 1)], "N", fine, "E")).is_none(), "70 minutes");
        assert!(position_of(gps(fine, "X", fine, "E")).is_none(), "no hemisphere");
        let latitude_alone = gps(fine, "N", fine, "E")[..2].to_vec();
        assert!(position_of(latitude_alone).is_none());
    }

    #[test]
    fn time_and_camera_are_read() {
        let details = vec![
            text(tag::DATE_TIME_ORIGINAL, "2019:07:14 15:04:05"),
            text(tag::OFFSET_TIME_ORIGINAL, "+02:00"),
        ];
        let metadata = PhotoMetadata::from_bytes(&exif(&details, &vec![]));
        assert_eq!(metadata.taken.unwrap().to_string(), "2019-07-14T15:04:05+02:00");
        assert_eq!(metadata.make.as_deref(), Some("Apple"));
        assert_eq!(metadata.model.as_deref(), Some("iPhone 12"));

        let without_offset = PhotoMetadata::from_bytes(&exif(&details[..1].to_vec(), &vec![]));
        assert_eq!(without_offset.taken.unwrap().to_string(), "2019-07-14T15:04:05");

        let details = vec![text(tag::BODY_SERIAL_NUMBER, "0420")];
        let gps_error = vec![rationals(tag::GPS_H_POSITIONING_ERROR, &[(47, 10)])];
        let metadata = PhotoMetadata::from_bytes(&exif(&details, &gps_error));
        assert_eq!((metadata.serial.as_deref(), metadata.position_error_m), (Some("0420"), Some(4.7)));

        let gps = vec![
            rationals(tag::GPS_TIME_STAMP, &[(13, 1), (4, 1), (59, 10)]),
            text(tag::GPS_DATE_STAMP, "2019:07:14"),
        ];
        let by_gps = PhotoMetadata::from_bytes(&exif(&vec![], &gps));
        assert_eq!(by_gps.taken.unwrap().to_string(), "2019-07-14T13:04:05Z");
    }

    #[test]
    fn a_clock_that_was_never_set_tells_no_time() {
        for time in ["0000:00:00 00:00:00", "    :  :     :  :  ", "2019:02:30 10:00:00", "2019:07:14", ""] {
            assert_eq!(TimeTaken::parse(time), None, "{time}");
        }
        assert!(TimeTaken::parse("2020:02:29 23:59:60").is_some());
        assert_eq!(parse_offset("-03:30"), Some(-210));
        for offset in ["+25:00", "02:00", "+2", "é", ""] {
            assert_eq!(parse_offset(offset), None, "{offset}");
        }
    }

    #[test]
    fn damaged_exif_is_none_and_never_a_panic() {
        let fine = [(10, 1), (0, 1), (0, 1)];
        let whole =
            exif(&vec![text(tag::DATE_TIME_ORIGINAL, "2019:07:14 15:04:05")], &gps(fine, "N", fine, "E"));
        for length in 0..whole.len() {
            PhotoMetadata::from_bytes(&whole[..length]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                PhotoMetadata::from_bytes(&damaged);
            }
        }
        assert_eq!(PhotoMetadata::from_bytes(b""), PhotoMetadata::default());
        assert_eq!(PhotoMetadata::open("/no/such/file.jpg"), PhotoMetadata::default());
    }
}
