//! Labels in doubt and odd photos, for `cairn data check --labels-by`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use cairn_dataset::escape::shown;
use cairn_dataset::{ClassList, ImageFolder, ValidSplit, path_text};
use cairn_eval::{Doubt, DoubtfulPhoto, LabelPage};
use cairn_photo::{Limits, ReadSize};
use cairn_train::{LabelCheck, check_labels};
use serde::Serialize;

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::model_source::ModelSource;
use crate::output::make_folder_of;
use crate::progress::{bar, say};

/// Side of a photo on the page, in pixels, at most.
const THUMBNAIL: u32 = 240;

/// What was found, with the data set that it was found in.
pub(super) struct Doubts {
    data: ImageFolder,
    model: String,
    check: LabelCheck,
}

/// The findings as JSON.
#[derive(Debug, Serialize)]
pub(super) struct LabelFindings {
    agreement: f64,
    in_doubt: Vec<DoubtfulLabel>,
    odd: Vec<OddPhoto>,
}

#[derive(Debug, Serialize)]
struct DoubtfulLabel {
    photo: String,
    label: String,
    label_probability: f64,
    suggested: String,
    suggested_probability: f64,
}

#[derive(Debug, Serialize)]
struct OddPhoto {
    photo: String,
    label: String,
    likeness: f64,
}

impl Doubts {
    /// Looks at the photos to learn from of the data set.
    pub(super) fn of(dir: &Path, data_set: &DataSetOptions, model: &ModelSource) -> Result<Self> {
        let data = data_set.open(dir, &ValidSplit::default())?;
        let opened = model.open()?;
        let photos: Vec<_> = data.train.iter().chain(&data.valid).cloned().collect();
        let bar = bar(photos.len(), "looking at photos");
        let found = check_labels(&opened, &photos, data.classes.len(), || bar.inc(1));
        bar.finish_and_clear();
        let found = found.with_context(|| path_text(dir))?;
        for bad in &found.bad_photos {
            say(format!("left out: {}", with_causes(bad)));
        }
        Ok(Self { data, model: model.to_string(), check: found })
    }

    fn classes(&self) -> &ClassList {
        &self.data.classes
    }

    fn class_name(&self, class: cairn_dataset::ClassId) -> String {
        self.classes().get(class).map(|class| class.name.clone()).unwrap_or_default()
    }

    pub(super) fn findings(&self) -> LabelFindings {
        let photo = |place: usize| path_text(self.check.photos[place].path());
        LabelFindings {
            agreement: self.check.agreement,
            in_doubt: self
                .check
                .issues
                .iter()
                .map(|issue| DoubtfulLabel {
                    photo: photo(issue.photo),
                    label: self.class_name(issue.given),
                    label_probability: issue.given_probability,
                    suggested: self.class_name(issue.suggested),
                    suggested_probability: issue.suggested_probability,
                })
                .collect(),
            odd: self
                .check
                .odd
                .iter()
                .map(|&(place, likeness)| OddPhoto {
                    photo: photo(place),
                    label: self.class_name(self.check.photos[place].class),
                    likeness,
                })
                .collect(),
        }
    }

    pub(super) fn write_lines(&self, out: &mut impl Write) -> io::Result<()> {
        let LabelFindings { agreement, in_doubt, odd } = self.findings();
        writeln!(out, "labels in doubt: {}", in_doubt.len())?;
        for DoubtfulLabel { photo, label, label_probability, suggested, suggested_probability } in &in_doubt {
            let label = format!("labelled {label} ({:.0}%)", 100.0 * label_probability);
            let suggested = format!("shows {suggested}? ({:.0}%)", 100.0 * suggested_probability);
            writeln!(out, "  {}", shown(&format!("{photo}: {label}, {suggested}")))?;
        }
        writeln!(out, "odd photos: {}", odd.len())?;
        for OddPhoto { photo, likeness, .. } in &odd {
            writeln!(out, "  {}", shown(&format!("{photo}: likeness to the nearest {likeness:.2}")))?;
        }
        let photos = self.check.photos.len();
        writeln!(out, "{:.1}% of {photos} labels are predicted by the others", 100.0 * agreement)
    }

    /// Writes the paths within the part of the photos whose label is in doubt, one a line.
    pub(super) fn write_list(&self, path: &Path) -> Result<()> {
        let lines: String = self
            .check
            .issues
            .iter()
            .map(|issue| format!("{}\n", self.check.photos[issue.photo].relative_path()))
            .collect();
        make_folder_of(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(lines.as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        write().with_context(|| format!("{}: cannot be written", path_text(path)))
    }

    /// Writes the page of all doubtful photos. A photo that can no longer be read is left out.
    pub(super) fn write_page(&self, path: &Path) -> Result<()> {
        let check = &self.check;
        let labels = check.issues.iter().map(|issue| {
            let doubt = Doubt::Label {
                suggested: self.class_name(issue.suggested),
                probability: issue.suggested_probability,
                label_probability: issue.given_probability,
            };
            (issue.photo, doubt)
        });
        let odd = check.odd.iter().map(|&(place, likeness)| (place, Doubt::Odd(likeness)));
        let doubtful: Vec<DoubtfulPhoto> = labels
            .chain(odd)
            .filter_map(|(place, doubt)| {
                let example = &check.photos[place];
                let photo = example.place.open(ReadSize::Full, &Limits::default()).ok()?;
                Some(DoubtfulPhoto {
                    photo: photo.no_larger_than(THUMBNAIL),
                    path: path_text(example.path()),
                    label: self.class_name(example.class),
                    doubt,
                })
            })
            .collect();
        make_folder_of(path)?;
        LabelPage {
            data: &path_text(&self.data.root),
            model: &self.model,
            photos: check.photos.len(),
            agreement: check.agreement,
            doubtful: &doubtful,
        }
        .write(path)?;
        Ok(())
    }
}
