//! `cairn library undo`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_library::plan::{Replacement, UndoOptions, UndoReport, Unobserved, undo, undo_from_marks};
use cairn_library::scan::Exclude;
use cairn_library::state::State;
use clap::{Args, ValueHint};

use super::apply::{plan_name, say_kept, say_left};
use super::state_options::StateOption;
use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Take a plan back
///
/// Files that nobody changed since get their old bytes and their old time of change; sidecars that cairn made are removed. From
/// a file that another program changed, the plan's own items are taken out, and the rest stays.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The plan: its file, its name, or `last`
    #[arg(required_unless_present = "from_marks", conflicts_with = "from_marks", value_hint = ValueHint::FilePath)]
    plan: Option<PathBuf>,
    #[command(flatten)]
    state: StateOption,
    /// Only photos of this name, or of this path from the root (*, ** and ? stand for others)
    #[arg(long, value_name = "GLOB", conflicts_with = "from_marks")]
    r#where: Option<Exclude>,
    /// Take this plan's items out of files that a later plan changed, too
    #[arg(long, conflicts_with = "from_marks")]
    items: bool,
    /// Take out all marks below ROOT by what they say themselves, without the state: exact by items, not by bytes
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath)]
    from_marks: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Undo {
    pub(crate) fn run(self) -> Result<Status> {
        let report = match (&self.plan, &self.from_marks) {
            (_, Some(root)) => undo_from_marks(root, self.dry_run)?,
            (Some(plan), None) => self.of_plan(plan)?,
            // clap sees to it that one of the two is there.
            (None, None) => bail!("name a plan, or `last`"),
        };
        say_kept(&report.kept);
        say_left(&report.left);
        let mut out = StandardOutput::open()?;
        writeln!(
            out,
            "{}{} files as they were, {} without the marks but otherwise changed, {} left alone",
            if self.dry_run { "would be: " } else { "" },
            report.exact,
            report.by_items,
            report.left.len()
        )?;
        Ok(Status::with_bad_photos(report.left.len()))
    }

    fn of_plan(&self, plan: &Path) -> Result<UndoReport> {
        let state = State::open_existing(&self.state.folder()?)?;
        let lock = state.lock()?;
        let wanted = |path: &Path| self.r#where.as_ref().is_none_or(|glob| glob.matches(path));
        let options = UndoOptions {
            items: self.items,
            dry_run: self.dry_run,
            wanted: &wanted,
            replacement: Replacement::Best,
        };
        Ok(undo(&state, &lock, &plan_name(plan)?, &options, &mut Unobserved)?)
    }
}
