//! One file a verb.

pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod man;
pub(crate) mod predict;
pub(crate) mod suggest;
pub(crate) mod test;
pub(crate) mod train;

use crate::arguments::Command;
use crate::exit::Status;

pub(crate) fn run(command: Command) -> anyhow::Result<Status> {
    match command {
        Command::Demo(demo) => demo.run(),
        Command::Data(data) => data.run(),
        Command::Train(train) => train.run(),
        Command::Test(test) => test.run(),
        Command::Predict(predict) => predict.run(),
        Command::Suggest(suggest) => suggest.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    }
}
