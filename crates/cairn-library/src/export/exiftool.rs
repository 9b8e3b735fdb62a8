//! Arguments of exiftool, for formats that cairn does not write and for people who trust exiftool.

use std::io::{self, Write};

use super::Export;
use crate::evidence::Basis;

/// Where a machine's marks are among keywords, and where those that a person confirmed are.
const AUTO_ROOT: [&str; 2] = ["auto", "landmark"];
const CONFIRMED_ROOT: [&str; 1] = ["Landmarks"];

/// The flat keyword of what nobody has confirmed.
const AUTO_MARKER: &str = "auto-landmark";

/// One argument a line, one photo up to each `-execute`. A keyword is taken out before it is added, so that a second run
/// adds none twice. Photos whose path cannot be on a line are left out with a comment.
pub(super) fn write(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# exiftool -@ THIS_FILE: writes into the photos and keeps each as *_original.")?;
    for row in export.marked() {
        let path = export.library.root.join(&row.path);
        let Some(path) = path.to_str().filter(|path| !path.contains(['\n', '\r'])) else {
            writeln!(out, "# left out: {path:?}")?;
            continue;
        };
        let is_confirmed = row.marked == Some(Basis::Confirmed);
        let root: &[&str] = if is_confirmed { &CONFIRMED_ROOT } else { &AUTO_ROOT };
        let landmark = one_line(&row.assessed.landmark);
        let level = |separator: &str| {
            let name = landmark.replace(['/', '|'], "-");
            root.iter().copied().chain([name.as_str()]).collect::<Vec<_>>().join(separator)
        };
        for (tag, keyword) in [
            ("XMP-digiKam:TagsList", level("/")),
            ("XMP-lr:HierarchicalSubject", level("|")),
            ("XMP-dc:Subject", landmark.clone()),
        ] {
            writeln!(out, "-{tag}-={keyword}\n-{tag}+={keyword}")?;
        }
        if !is_confirmed {
            writeln!(out, "-XMP-dc:Subject-={AUTO_MARKER}\n-XMP-dc:Subject+={AUTO_MARKER}")?;
        }
        writeln!(out, "-XMP-iptcExt:LocationShownLocationName={landmark}")?;
        if let Some(wikidata) = &row.assessed.wikidata {
            writeln!(out, "-XMP-iptcExt:LocationShownLocationId=http://www.wikidata.org/entity/{wikidata}")?;
        }
        if let Some(place) = &row.place {
            let fields = [("City", &place.city), ("ProvinceState", &place.region)];
            for (field, text) in fields {
                if let Some(text) = text {
                    writeln!(out, "-XMP-iptcExt:LocationShown{field}={}", one_line(text))?;
                }
            }
            writeln!(out, "-XMP-iptcExt:LocationShownCountryName={}", one_line(&place.country))?;
            writeln!(out, "-XMP-iptcExt:LocationShownCountryCode={}", place.country_code.as_str())?;
            let (latitude, longitude) = (place.latitude.degrees(), place.longitude.degrees());
            writeln!(out, "-XMP-iptcExt:LocationShownGPSLatitude={latitude}")?;
            writeln!(out, "-XMP-iptcExt:LocationShownGPSLongitude={longitude}")?;
        }
        writeln!(out, "-charset\nfilename=utf8\n{path}\n-execute")?;
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
