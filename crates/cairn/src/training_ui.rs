//! Who tells a person how a training goes.

use cairn_dataset::path_text;
use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use cairn_train::{Event, Interrupt, Observer, Recipe, RunFolder};

use crate::dashboard::Dashboard;
use crate::progress::TrainingProgress;

/// A bar and lines, or the whole terminal.
pub(crate) enum TrainingUi {
    Progress(TrainingProgress),
    Dashboard(Dashboard),
}

impl TrainingUi {
    /// For a run, by a dashboard where one is asked for (`tui`) and standard error is a terminal. `q` on a dashboard asks
    /// `interrupt` for a stop.
    pub(crate) fn new(tui: bool, run: &RunFolder, recipe: &Recipe, interrupt: &Interrupt) -> Result<Self> {
        let epochs = recipe.training.epochs;
        // Without a terminal, lines in a log are of more use than a screen.
        if !tui || !io::stderr().is_terminal() {
            return Ok(Self::Progress(TrainingProgress::new(epochs)));
        }
        let title = format!("{}  {}", path_text(run.path()), recipe.network.architecture);
        let dashboard = Dashboard::open(title, epochs, RunFolder::history(run.path()), interrupt.clone());
        Ok(Self::Dashboard(dashboard.context("the terminal cannot be drawn on; try without --tui")?))
    }

    /// How many photos were left out.
    pub(crate) fn bad_photos(&self) -> usize {
        match self {
            Self::Progress(progress) => progress.bad_photos(),
            Self::Dashboard(dashboard) => dashboard.bad_photos(),
        }
    }
}

impl Observer for TrainingUi {
    fn on_event(&mut self, event: Event<'_>) {
        match self {
            Self::Progress(progress) => progress.on_event(event),
            Self::Dashboard(dashboard) => dashboard.on_event(event),
        }
    }
}
