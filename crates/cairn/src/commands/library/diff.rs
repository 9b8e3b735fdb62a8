//! `cairn library diff`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_dataset::path_text;
use cairn_library::plan::{FieldChange, PlanFile, Work};
use cairn_library::scan::Exclude;
use clap::{Args, ValueEnum, ValueHint};
use serde_json::json;

use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Show what a plan changes, by photo and field
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The plan file
    #[arg(value_hint = ValueHint::FilePath)]
    plan: PathBuf,
    /// Count changes by field instead
    #[arg(long)]
    summary: bool,
    /// Only photos of this name, or of this path from the root (*, ** and ? stand for others)
    #[arg(long, value_name = "GLOB")]
    photo: Option<Exclude>,
    /// Only this field, such as dc:subject
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Format of the output
    #[arg(long, value_enum, default_value = "text")]
    format: DiffFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    Text,
    Jsonl,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Status> {
        let plan = PlanFile::open(&self.plan)?;
        let mut out = io::BufWriter::new(StandardOutput::open()?);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for op in plan.ops()? {
            let op = op?;
            if self.photo.as_ref().is_some_and(|glob| !glob.matches(&op.photo)) {
                continue;
            }
            let target = path_text(&op.target);
            let fields: Vec<FieldChange> = match op.work {
                Work::Write(write) => write.fields,
                Work::Place { source, .. } => {
                    let change = FieldChange {
                        field: op.kind.word().to_owned(),
                        before: vec![path_text(&source)],
                        after: vec![target.clone()],
                    };
                    vec![change]
                }
            };
            let wanted = |field: &&FieldChange| self.field.as_ref().is_none_or(|name| *name == field.field);
            let fields: Vec<&FieldChange> = fields.iter().filter(wanted).collect();
            if self.summary {
                fields.iter().for_each(|field| *counts.entry(field.field.clone()).or_default() += 1);
            } else if self.format == DiffFormat::Jsonl {
                let line = json!({
                    "photo": path_text(&op.photo), "file": target, "kind": op.kind.word(), "fields": fields,
                });
                writeln!(out, "{line}")?;
            } else if !fields.is_empty() {
                writeln!(out, "{} ({})", shown(&target), op.kind.word())?;
                fields.iter().try_for_each(|field| write_field(&mut out, field))?;
            }
        }
        for (field, count) in counts {
            match self.format {
                DiffFormat::Text => writeln!(out, "{count:>7}  {field}")?,
                DiffFormat::Jsonl => writeln!(out, "{}", json!({ "field": field, "files": count }))?,
            }
        }
        out.flush()?;
        Ok(Status::Done)
    }
}

/// Items that go with `-`, items that come with `+`.
fn write_field(out: &mut impl Write, field: &FieldChange) -> io::Result<()> {
    writeln!(out, "  {}", field.field)?;
    for gone in field.before.iter().filter(|item| !field.after.contains(item)) {
        writeln!(out, "    - {}", shown(gone))?;
    }
    for come in field.after.iter().filter(|item| !field.before.contains(item)) {
        writeln!(out, "    + {}", shown(come))?;
    }
    Ok(())
}
