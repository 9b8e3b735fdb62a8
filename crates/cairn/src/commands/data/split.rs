//! `cairn data split`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::{ListedPhotos, PartCounts, PartShares, Partition, Placement};
use clap::{Args, ValueEnum};

use crate::exit::Status;
use crate::output::{Force, Outputs};
use crate::photo_files::say_skipped;
use crate::progress::{advance, bar, left_out, say};
use crate::rows::Format;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Make the parts train, valid and test of one folder of classes
///
/// Writes a table of path, label and split, which `train`, `test` and `data` take like a data set; no photo is copied. With
/// --link or --copy, writes folders instead: train/CLASS/PHOTO, valid/CLASS/PHOTO and test/CLASS/PHOTO.
///
/// Every class has the share of its photos in each part, as nearly as whole photos allow; one with three different photos or
/// more is in every part. Which photos go where is chosen by their content and the seed: copies of a photo are in one part,
/// and photos that are added move few others, none of other classes.
#[derive(Debug, Args)]
pub(crate) struct Split {
    /// Folder with a folder of photos for each class
    dir: PathBuf,
    /// Table to write (.csv or .tsv); with --link or --copy, folder to make
    #[arg(short, long, value_name = "FILE|DIR")]
    out: PathBuf,
    /// Share of the photos to choose the best model by
    #[arg(long, value_name = "SHARE", default_value_t = PartShares::default().valid)]
    valid: f64,
    /// Share of the photos to test on
    #[arg(long, value_name = "SHARE", default_value_t = PartShares::default().test)]
    test: f64,
    /// Another seed gives the parts other photos
    #[arg(long, value_name = "S", default_value_t = PartShares::default().seed)]
    seed: u64,
    /// Write folders of links to the photos [default kind: symbolic]
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        num_args = 0..=1,
        default_missing_value = "symbolic",
        require_equals = true,
        conflicts_with = "copy"
    )]
    link: Option<Link>,
    /// Write folders of copies of the photos
    #[arg(long)]
    copy: bool,
    /// Replace a table that is there
    #[arg(long, conflicts_with_all = ["link", "copy"])]
    force: bool,
    /// How to print the photos of each class and part
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Link {
    /// Links to the photos' whole paths
    Symbolic,
    /// Further names of the same files, on the same file system
    Hard,
}

impl Split {
    pub(crate) fn run(self) -> Result<Status> {
        // Known at once, rather than when there is something to write.
        StandardOutput::open()?;
        let shares = PartShares { valid: self.valid, test: self.test, seed: self.seed };
        if self.link.is_none() && !self.copy {
            let outputs = Outputs::files([self.out.clone()]).reading([self.dir.as_path()]);
            outputs.check(Force { replace: self.force })?;
        }
        let reading = bar(0, "reading photos");
        let partition = Partition::of(&self.dir, &shares, |done, total| advance(&reading, done, total))?;
        reading.finish_and_clear();
        say_skipped(&partition.skipped);
        partition.unreadable.iter().for_each(|bad| say(left_out(bad)));

        let usage = self.write(&partition)?;
        counts(&partition).print(self.format, Layout::Rows)?;
        say_findings(&partition, &shares);
        say(format!("wrote {}; train with `cairn train {}`", path_text(&self.out), usage));
        Ok(Status::with_bad_photos(partition.unreadable.len()))
    }

    /// Writes the parts, and gives the arguments by which `train` takes them.
    fn write(&self, partition: &Partition) -> Result<String> {
        let out = path_text(&self.out);
        let placement = match (self.link, self.copy) {
            (Some(Link::Symbolic), _) => Placement::SymbolicLink,
            (Some(Link::Hard), _) => Placement::HardLink,
            (None, true) => Placement::Copy,
            (None, false) => {
                return Ok(match partition.write_manifest(&self.out, self.force)? {
                    ListedPhotos::WithinFolder => out,
                    // The paths are absolute: the table is not above the photos.
                    ListedPhotos::Outside => format!("{out} --allow-outside"),
                });
            }
        };
        let writing = bar(0, "writing photos");
        partition.write_folders(&self.out, placement, |done, total| advance(&writing, done, total))?;
        writing.finish_and_clear();
        Ok(out)
    }
}

/// A row for each class, and one for all.
fn counts(partition: &Partition) -> TableOutput {
    let columns = ["class", "train", "valid", "test"].map(|name| Column::new(name, name));
    let mut table = TableOutput::new(columns.to_vec());
    let mut push = |name: &str, photos: PartCounts| {
        let counts = [photos.train, photos.valid, photos.test].map(Cell::count);
        table.push([vec![Cell::text(name)], counts.to_vec()].concat());
    };
    partition.classes.iter().for_each(|class| push(&class.name, class.photos));
    push("all", partition.photos());
    table
}

/// Says what is worth a look: classes that are not in every part, and copies.
fn say_findings(partition: &Partition, shares: &PartShares) {
    let lacks_part = |photos: PartCounts| {
        photos.train == 0
            || (shares.valid > 0.0 && photos.valid == 0)
            || (shares.test > 0.0 && photos.test == 0)
    };
    let lacking = partition.classes.iter().filter(|class| lacks_part(class.photos));
    let lacking: Vec<&str> = lacking.map(|class| class.name.as_str()).collect();
    if !lacking.is_empty() {
        say(format!("too few photos for every part: {}", lacking.join(", ")));
    }
    if partition.copies > 0 {
        say(format!("copies of another photo of their class, in its part: {}", partition.copies));
    }
    if partition.in_two_classes > 0 {
        say(format!(
            "photos in two classes, so that a label is wrong: {}; `cairn data check` names them",
            partition.in_two_classes
        ));
    }
}
