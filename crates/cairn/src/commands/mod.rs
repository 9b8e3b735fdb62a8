//! One file a verb.

pub(crate) mod bench;
pub(crate) mod calibrate;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod learn;
pub(crate) mod lr_find;
pub(crate) mod man;
pub(crate) mod nets;
pub(crate) mod predict;
pub(crate) mod runs;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod similar;
pub(crate) mod suggest;
pub(crate) mod sweep;
pub(crate) mod test;
pub(crate) mod train;

use std::path::Path;

use cairn_places::{Gazetteer, PlacesError};

use crate::arguments::Command;
use crate::exit::Status;

/// The places of the user's file, if there is one, laid over those that come with cairn.
fn merged_places(own: Option<&Path>) -> Result<Option<Gazetteer>, PlacesError> {
    let Some(own) = own else { return Ok(None) };
    let mut gazetteer = Gazetteer::builtin();
    gazetteer.merge(Gazetteer::read(own)?);
    Ok(Some(gazetteer))
}

pub(crate) fn run(command: Command) -> anyhow::Result<Status> {
    match command {
        Command::Demo(demo) => demo.run(),
        Command::Data(data) => data.run(),
        Command::Train(train) => train.run(),
        Command::Test(test) => test.run(),
        Command::Predict(predict) => predict.run(),
        Command::Suggest(suggest) => suggest.run(),
        Command::Explain(explain) => explain.run(),
        Command::Export(export) => export.run(),
        Command::LrFind(lr_find) => lr_find.run(),
        Command::Sweep(sweep) => sweep.run(),
        Command::Runs(runs) => runs.run(),
        Command::Calibrate(calibrate) => calibrate.run(),
        Command::Learn(learn) => learn.run(),
        Command::Forget(forget) => forget.run(),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => serve.run(),
        Command::Similar(similar) => similar.run(),
        Command::Import(import) => import.run(),
        Command::Nets(nets) => nets.run(),
        Command::Bench(bench) => bench.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    }
}
