//! The command line: what may be typed, and the verb that it starts.

use clap::{CommandFactory, Parser, Subcommand};

#[cfg(feature = "cluster")]
use crate::commands::cluster;
#[cfg(feature = "label")]
use crate::commands::label;
#[cfg(feature = "library")]
use crate::commands::library;
use crate::commands::{
    bench, calibrate, completions, data, demo, explain, export, forget, import, learn, lr_find, man, nets,
    predict, runs, similar, suggest, sweep, test, train,
};
use crate::exit::Status;
use crate::threads::Threads;

#[cfg(feature = "serve")]
use crate::commands::serve;

/// Names the landmark in a photo: trains, tests and uses landmark classifiers.
#[derive(Debug, Parser)]
#[command(name = "cairn", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 all well; 1 wrong usage, or nothing done; 2 done, but photos were left out (each is named); \
130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP, with what was done saved.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub threads: Threads,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    #[command(subcommand)]
    Data(data::Data),
    Train(train::Train),
    Test(test::Test),
    Predict(predict::Predict),
    #[cfg(feature = "label")]
    Label(Box<label::Label>),
    #[cfg(feature = "cluster")]
    #[command(subcommand)]
    Cluster(cluster::Cluster),
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
    #[cfg(feature = "serve")]
    Serve(Box<serve::Serve>),
    Similar(similar::Similar),
    Import(import::Import),
    #[cfg(feature = "library")]
    #[command(subcommand)]
    Library(library::Library),
    Nets(nets::Nets),
    #[command(subcommand)]
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Runs the verb.
    pub(crate) fn run(self) -> anyhow::Result<Status> {
        match self {
            Self::Demo(demo) => demo.run(),
            Self::Data(data) => data.run(),
            Self::Train(train) => train.run(),
            Self::Test(test) => test.run(),
            Self::Predict(predict) => predict.run(),
            #[cfg(feature = "label")]
            Self::Label(label) => label.run(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.run(),
            Self::Suggest(suggest) => suggest.run(),
            Self::Explain(explain) => explain.run(),
            Self::Export(export) => export.run(),
            Self::LrFind(lr_find) => lr_find.run(),
            Self::Sweep(sweep) => sweep.run(),
            Self::Runs(runs) => runs.run(),
            Self::Calibrate(calibrate) => calibrate.run(),
            Self::Learn(learn) => learn.run(),
            Self::Forget(forget) => forget.run(),
            #[cfg(feature = "serve")]
            Self::Serve(serve) => serve.run(),
            Self::Similar(similar) => similar.run(),
            Self::Import(import) => import.run(),
            #[cfg(feature = "library")]
            Self::Library(library) => library.run(),
            Self::Nets(nets) => nets.run(),
            Self::Bench(bench) => bench.run(),
            Self::Completions(completions) => completions.run(Arguments::command()),
            Self::Man(man) => man.run(Arguments::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Command as Definition;

    use super::*;

    /// Verbs whose output is a folder that is begun or gone on with, and never replaced.
    const RUN_FOLDERS: [&str; 4] = ["demo", "label", "train", "sweep"];

    fn check(verb: &Definition, path: &str) -> usize {
        let below = verb.get_subcommands().map(|below| check(below, &format!("{path} {}", below.get_name())));
        let below: usize = below.sum();
        for other in ["output", "report", "destination", "folder"] {
            assert!(
                verb.get_arguments().all(|a| a.get_long() != Some(other)),
                "{path}: --{other} instead of --out"
            );
        }
        let Some(out) = verb.get_arguments().find(|argument| argument.get_id() == "out") else {
            return below;
        };
        assert_eq!((out.get_short(), out.get_long()), (Some('o'), Some("out")), "{path}");
        assert!(out.get_help().is_some(), "{path}");
        let force = verb.get_arguments().any(|argument| argument.get_long() == Some("force"));
        assert_eq!(force, !RUN_FOLDERS.contains(&verb.get_name()), "{path}: --force");
        below + 1
    }

    #[test]
    fn every_verb_with_an_output_names_it_by_out_and_replaces_it_by_force() {
        let mut arguments = Arguments::command();
        arguments.build();
        assert!(check(&arguments, "cairn") >= 13);
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
