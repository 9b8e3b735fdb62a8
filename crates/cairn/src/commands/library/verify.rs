//! `cairn library verify`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_library::plan::{Finding, verify};
use cairn_library::state::State;
use cairn_photo::Photo;
use clap::{Args, ValueHint};

use super::apply::{plan_name, say_kept};
use super::state_options::StateOption;
use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Compare what was written with the files as they are
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The plan: its file or its name [default: all]
    #[arg(value_hint = ValueHint::FilePath)]
    plan: Option<PathBuf>,
    #[command(flatten)]
    state: StateOption,
    /// Decode the pictures of photos that were written into, too
    #[arg(long)]
    decode: bool,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Status> {
        let state = State::open_existing(&self.state.folder()?)?;
        let lock = state.lock()?;
        let plan = self.plan.as_deref().map(plan_name).transpose()?;
        let decode = |path: &Path| Photo::open(path).map(drop).map_err(|error| error.to_string());
        let report = verify(&state, &lock, plan.as_deref(), self.decode.then_some(&decode as _))?;
        say_kept(&report.kept);
        let mut out = io::BufWriter::new(StandardOutput::open()?);
        for (path, finding) in &report.findings {
            let what = match finding {
                Finding::Gone => "gone".to_owned(),
                Finding::ChangedWithMark => "changed by another program, with the mark".to_owned(),
                Finding::ChangedWithoutMark => "changed by another program, without the mark".to_owned(),
                Finding::Unreadable(reason) => format!("cannot be read: {reason}"),
            };
            writeln!(out, "{}\t{}", shown(&path.to_string_lossy()), shown(&what))?;
        }
        writeln!(out, "{} files as written, {} others", report.as_written, report.findings.len())?;
        out.flush()?;
        Ok(Status::with_bad_photos(report.findings.len()))
    }
}
