//! The limits of what a bundle's description may say.
//!
//! A description decides how much memory is taken and what is printed, so that all of it is checked when it is opened, and
//! again before it is written.

use std::collections::HashSet;
use std::fmt::Debug;
use std::ops::RangeInclusive;

use cairn_dataset::{Class, ClassList};
use cairn_nets::{MOST_CLASSES, NetworkSpec, SpecError};
use cairn_photo::{Framing, Preprocess, TestViews};

use super::info::{BundleInfo, Provenance};
use super::info_error::InfoError;

/// Pixels of each side of a photo, resized or cropped.
const SIDES: RangeInclusive<u32> = 1..=cairn_nets::LARGEST_SIDE as u32;
/// Standard deviation of a colour channel, on a scale of 0 to 1.
const DEVIATIONS: RangeInclusive<f64> = 1e-4..=1e4;
/// Mean of a colour channel, on the same scale.
const MEANS: RangeInclusive<f64> = -1e4..=1e4;
/// What logits are divided by.
const TEMPERATURES: RangeInclusive<f64> = 1e-6..=1e6;
/// Thresholds, scales and offsets.
const FIGURES: RangeInclusive<f64> = -1e9..=1e9;
/// Bytes of a class's folder and of its name.
const LONGEST_NAME: usize = 512;
/// Bytes of the version of cairn and of the data set's fingerprint.
const LONGEST_LABEL: usize = 256;
/// Bytes of the recipe.
const LONGEST_RECIPE: usize = 1 << 20;
/// Bytes of a description that any file may have. A longer file may have an eighth of its length more.
const SHORTEST_LIMIT: usize = 1 << 20;

/// The longest description of a file of this length, in bytes: reading it takes several times its length of memory.
pub(super) fn longest_description(file_len: usize) -> usize {
    SHORTEST_LIMIT + file_len / 8
}

impl BundleInfo {
    /// Checks every value, but not whether `network` can be built ([`NetworkSpec::validate`]).
    ///
    /// # Errors
    /// The first value outside of its limits.
    pub(crate) fn validate(&self) -> Result<(), InfoError> {
        check_preprocess(&self.preprocess)?;
        self.check_views()?;
        self.check_input()?;
        within("temperature", self.temperature, &TEMPERATURES)?;
        if let Some(rejection) = &self.rejection {
            within("rejection.threshold", rejection.threshold, &FIGURES)?;
            rejection.sure.map_or(Ok(()), |sure| within("rejection.sure", sure, &FIGURES))?;
        }
        if self.conformal.as_ref().is_some_and(|conformal| !conformal.is_sound()) {
            return Err(InfoError {
                field: "conformal".to_owned(),
                found: "figures that cannot have been measured".to_owned(),
                expected: "probabilities that fall, one for each coverage at most".to_owned(),
            });
        }
        let mut folders = HashSet::new();
        check_names("classes", &self.classes, &mut folders)?;
        if let Some(learning) = &self.learning {
            within("few_shot.scale", learning.scale, &FIGURES)?;
            within("few_shot.offset", learning.offset, &FIGURES)?;
            check_names("few_shot.classes", &learning.classes, &mut folders)?;
        }
        self.provenance.validate()
    }

    /// There is something to crop where views are crops.
    fn check_views(&self) -> Result<(), InfoError> {
        let squashed = matches!(self.preprocess.framing, Framing::Squash { .. });
        if !squashed || matches!(self.views, TestViews::One | TestViews::Flip) {
            return Ok(());
        }
        Err(InfoError {
            field: "views".to_owned(),
            found: format!("{:?}", self.views),
            expected: "One or Flip: the framing leaves nothing to crop".to_owned(),
        })
    }

    /// The framing ends at a size that the network takes.
    fn check_input(&self) -> Result<(), InfoError> {
        let (width, height) =
            (self.preprocess.input_width() as usize, self.preprocess.input_height() as usize);
        let NetworkSpec { architecture, side, .. } = self.network;
        let fits = if architecture.takes_one_size() {
            (width, height) == (side, side)
        } else {
            let shortest = NetworkSpec { side: width.min(height), ..self.network.clone() };
            !matches!(shortest.validate(), Err(SpecError::Side { .. }))
        };
        if fits {
            return Ok(());
        }
        Err(InfoError {
            field: "preprocess.framing".to_owned(),
            found: format!("{width} x {height} pixels"),
            expected: format!("a size that {architecture} takes"),
        })
    }
}

/// Checks the sizes and figures of a preprocessing, before a training with it.
///
/// # Errors
/// The first value outside of its limits.
pub fn check_preprocess(preprocess: &Preprocess) -> Result<(), InfoError> {
    let place = |name: &str| format!("preprocess.framing.{name}");
    match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => {
            within(place("short_side"), short_side, &SIDES)?;
            within(place("crop"), crop, &(*SIDES.start()..=short_side))?;
        }
        Framing::Squash { width, height } => {
            within(place("width"), width, &SIDES)?;
            within(place("height"), height, &SIDES)?;
        }
    }
    for channel in 0..3 {
        let place = |name: &str| format!("preprocess.normalisation.{name}[{channel}]");
        within(place("mean"), f64::from(preprocess.normalisation.mean[channel]), &MEANS)?;
        within(place("std"), f64::from(preprocess.normalisation.std[channel]), &DEVIATIONS)?;
    }
    Ok(())
}

impl Provenance {
    fn validate(&self) -> Result<(), InfoError> {
        let Self { cairn, recipe, data_fingerprint, epoch: _, valid_loss, valid_accuracy } = self;
        for (field, text) in [("provenance.cairn", cairn), ("provenance.data_fingerprint", data_fingerprint)]
        {
            is_label(field, text, LONGEST_LABEL)?;
        }
        if recipe.len() > LONGEST_RECIPE {
            return Err(InfoError {
                field: "provenance.recipe".to_owned(),
                found: format!("{} bytes", recipe.len()),
                expected: format!("{LONGEST_RECIPE} at most"),
            });
        }
        // Not a number where cairn did not train it.
        if !valid_loss.is_nan() {
            within("provenance.valid_loss", *valid_loss, &(0.0..=f64::INFINITY))?;
        }
        if !valid_accuracy.is_nan() {
            within("provenance.valid_accuracy", *valid_accuracy, &(0.0..=1.0))?;
        }
        Ok(())
    }
}

/// Checks the names of classes, before a training with them: each class has a folder's name of its own, and
/// names that can be printed.
///
/// # Errors
/// The first name that no bundle takes.
pub fn check_classes(classes: &ClassList) -> Result<(), InfoError> {
    check_names("classes", classes, &mut HashSet::new())
}

/// The same for classes beside those of these `folders`, whose own are added.
fn check_names<'a>(
    field: &str,
    classes: &'a ClassList,
    folders: &mut HashSet<&'a str>,
) -> Result<(), InfoError> {
    if classes.len() > MOST_CLASSES {
        return Err(InfoError {
            field: field.to_owned(),
            found: format!("{} classes", classes.len()),
            expected: format!("{MOST_CLASSES} at most"),
        });
    }
    for (id, Class { folder, name }) in classes.iter() {
        let place = |part: &str| format!("{field}[{id}].{part}");
        for (part, text) in [("folder", folder), ("name", name)] {
            if text.trim().is_empty() {
                return Err(InfoError {
                    field: place(part),
                    found: "empty".to_owned(),
                    expected: "a name".to_owned(),
                });
            }
            is_label(place(part), text, LONGEST_NAME)?;
        }
        if !folders.insert(folder.as_str()) {
            return Err(InfoError {
                field: place("folder"),
                found: format!("{folder:?} again"),
                expected: "another name for each class".to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether text is of one line, and shorter than `longest` bytes: it is printed.
fn is_label(field: impl Into<String>, text: &str, longest: usize) -> Result<(), InfoError> {
    let fault = |found: String, expected: &str| {
        Err(InfoError { field: field.into(), found, expected: expected.to_owned() })
    };
    if text.len() > longest {
        return fault(format!("{} bytes", text.len()), &format!("{longest} at most"));
    }
    match text.chars().find(|&c| c.is_control() || is_bidi_control(c)) {
        Some(c) => fault(
            format!("text with the control character U+{:04X}", u32::from(c)),
            "text that can be printed; rename the class's folder, or import with another name",
        ),
        None => Ok(()),
    }
}

/// Characters that change the direction of the text around them, by which a name can pass for another.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Numbers are said in the short form of `Debug`: `1e-300`, not three hundred zeros.
fn within<T: PartialOrd + Debug>(
    field: impl Into<String>,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<(), InfoError> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = format!("{:?} to {:?}", range.start(), range.end());
    Err(InfoError { field: field.into(), found: format!("{value:?}"), expected })
}
