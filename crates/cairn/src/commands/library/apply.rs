//! `cairn library apply`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_library::plan::{ApplyOptions, OpOutcome, PlanFile, Unobserved, apply};
use cairn_library::state::State;
use clap::{Args, ValueHint};

use super::state_options::StateOption;
use crate::exit::Status;
use crate::progress::say;
use crate::signals::stop_on_signals;
use crate::standard_output::StandardOutput;

/// Carry out a plan
///
/// Every file is compared with the plan first: one that another program changed since is left alone. What is replaced is kept
/// in a journal in the state's folder, so that `cairn library undo` gives it back to the byte. A second call does what is left.
///
/// Use one computer at a time for a library on a network.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The plan file
    #[arg(value_hint = ValueHint::FilePath)]
    plan: PathBuf,
    #[command(flatten)]
    state: StateOption,
    /// Carry out N operations at most
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

impl Apply {
    pub(crate) fn run(self) -> Result<Status> {
        let plan = PlanFile::open(&self.plan)?;
        let state = State::open_existing(&self.state.folder()?)?;
        let lock = state.lock()?;
        let interrupt = stop_on_signals("this file")?;
        let options = ApplyOptions { limit: self.limit, ..ApplyOptions::default() };
        let report = apply(&state, &lock, &plan, options, &mut Unobserved, &|| interrupt.requested())?;
        say_kept(&report.kept);
        say_left(&report.left);
        let mut out = StandardOutput::open()?;
        writeln!(
            out,
            "{} files written, {} were written before, {} left alone, {} remaining",
            report.done,
            report.already,
            report.left.len(),
            report.remaining
        )?;
        writeln!(out, "take it back with: cairn library undo {}", plan.header.plan)?;
        if interrupt.requested() {
            return Ok(Status::Interrupted);
        }
        Ok(Status::with_bad_photos(report.left.len()))
    }
}

/// Names the files that were left alone.
pub(super) fn say_left(left: &[(PathBuf, OpOutcome)]) {
    for (path, outcome) in left {
        let path = path.to_string_lossy();
        match outcome {
            OpOutcome::Skipped(reason) => say(format!("left alone: {}: {reason}", shown(&path))),
            OpOutcome::Foreign(reason) => {
                say(format!("left alone, another program changed it: {}: {reason}", shown(&path)));
            }
            OpOutcome::Done | OpOutcome::Already => {}
        }
    }
}

/// Names what an earlier crash left that cairn did not write.
pub(super) fn say_kept(kept: &[PathBuf]) {
    for path in kept {
        say(format!(
            "warning: {}: left by an earlier crash, and neither the old nor the new file; look at it",
            shown(&path.to_string_lossy())
        ));
    }
}

/// The name of a plan, by its file or as it is.
pub(super) fn plan_name(plan: &Path) -> Result<String> {
    if plan.is_file() {
        return Ok(PlanFile::open(plan)?.header.plan);
    }
    Ok(plan.to_string_lossy().into_owned())
}
