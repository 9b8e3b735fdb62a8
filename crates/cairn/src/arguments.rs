//! What may be typed.

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, calibrate, completions, data, demo, explain, export, forget, import, learn, lr_find, man, nets,
    predict, runs, similar, suggest, sweep, test, train,
};

/// Names the landmark in a photo: trains, tests and uses landmark classifiers.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 all well; 1 wrong usage, or nothing done; 2 done, but photos were left out (each is named); \
130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP, with what was done saved.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    #[command(subcommand)]
    Data(data::Data),
    Train(train::Train),
    Test(test::Test),
    Predict(predict::Predict),
    Suggest(suggest::Suggest),
    Explain(explain::Explain),
    Export(export::Export),
    LrFind(lr_find::LrFind),
    Sweep(sweep::Sweep),
    #[command(subcommand)]
    Runs(runs::Runs),
    Calibrate(calibrate::Calibrate),
    Learn(learn::Learn),
    Forget(forget::Forget),
    Similar(similar::Similar),
    Import(import::Import),
    Nets(nets::Nets),
    #[command(subcommand)]
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
}
