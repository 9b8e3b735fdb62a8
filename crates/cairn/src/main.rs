//! cairn names the landmark in a photo: the command line.
//!
//! Nothing here knows how anything works: arguments come in, a library is called, the outcome goes out. Data goes to
//! standard output, progress and messages to standard error.

mod arguments;
mod causes;
mod commands;
mod dashboard;
mod data_set;
mod destination;
mod devices;
mod done_rows;
mod exit;
mod first_weights;
mod json;
#[cfg(feature = "label")]
mod label_progress;
#[cfg(feature = "cluster")]
mod log_lines;
mod model_source;
mod operating_points;
mod output;
mod photo_files;
mod photo_input;
mod places;
mod progress;
mod row_table;
mod rows;
mod shipped;
mod signals;
mod standard_output;
mod table_output;
mod tally;
mod terminal;
mod tested;
mod threads;
mod threshold_options;
mod training_ui;
mod tta;
mod weights_notes;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::for_usage(&error),
    };
    // A misspelt instruction set must not pass for the best one.
    let checked = cairn_kernels::Isa::from_environment().map_err(anyhow::Error::from);
    let started = checked.and_then(|_| Ok(arguments.threads.start()?));
    let done = started.and_then(|()| arguments.command.run());
    match done.and_then(|status| Ok(standard_output::flush().map(|()| status)?)) {
        Ok(status) => status.into(),
        Err(error) => exit::for_error(&error),
    }
}
