//! `cairn man`

use std::path::Path;

use cairn_model::export::{ExportedFile, write_files};
use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::exit::Status;
use crate::output::{OutputOption, Outputs};

/// Write manual pages to a folder
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| {
    out.required(true).value_name("DIR").help("Folder for the pages; made if it is not there")
}))]
pub(crate) struct Man {
    #[command(flatten)]
    output: OutputOption,
}

impl Man {
    /// Of this definition of the command line.
    pub(crate) fn run(self, command: Command) -> anyhow::Result<Status> {
        let folder = self.output.named()?;
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let pages = pages(&command, &folder)?;
        Outputs::files(pages.iter().map(|page| page.path.clone())).check(self.output.force)?;
        write_files(&pages, self.output.force.replace)?;
        Ok(Status::Done)
    }
}

/// The pages of a command and of those below it.
fn pages(command: &Command, folder: &Path) -> anyhow::Result<Vec<ExportedFile>> {
    let mut files = Vec::new();
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        files.extend(pages(below, folder)?);
    }
    let page = Page::new(command.clone());
    let mut bytes = Vec::new();
    page.render(&mut bytes)?;
    files.push(ExportedFile { path: folder.join(page.get_filename()), bytes });
    Ok(files)
}
