//! `cairn library review`

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_dataset::escape::shown;
use cairn_library::decisions::Decisions;
use cairn_library::review::{Review, ReviewGroup, ReviewPhoto};
use cairn_library::scan::LibrarySettings;
use cairn_library::state::Decision;
use cairn_photo::Photo;
use cairn_places::Gazetteer;
use clap::{Args, ValueHint};

use super::state_options::StateOptions;
use crate::exit::Status;
use crate::places::merged_places;
use crate::progress::say;
use crate::standard_output::{self, StandardOutput};
use crate::terminal;

/// Confirm or reject landmarks, photo by photo
///
/// Prints the address of a page on this machine, which shows the photos by landmark, the least certain landmarks first, until
/// Ctrl-C ends it. Whoever has the address may decide: it holds a secret of this run. Each decision is stored at once and changes
/// no photo: the next plan does. A rejected landmark never returns to a picture, whatever its file is called and whichever
/// model looks at it.
///
/// With --terminal, photos are shown in the terminal. Answers there, each with Enter: y it shows the landmark, n it does not, x never mark this photo, X never mark this landmark in this
/// library, u take the last answer back, Enter alone the next photo, g the next landmark, q the end.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn library review                               open the address that it prints
  cairn library review --landmark 'Eiffel Tower'
  cairn library review --terminal
  cairn library review --export decisions.jsonl      for another computer
  cairn library review --import decisions.jsonl")]
pub(crate) struct ReviewPhotos {
    #[command(flatten)]
    state: StateOptions,
    /// Review in the terminal instead of a browser
    #[arg(long, conflicts_with_all = ["export", "import"])]
    terminal: bool,
    /// Port of the page on 127.0.0.1 [default: one that is free]
    #[arg(long, value_name = "N", conflicts_with_all = ["terminal", "export", "import"])]
    port: Option<u16>,
    /// Only this landmark
    #[arg(long, value_name = "NAME")]
    landmark: Option<String>,
    /// Ask about photos that were decided, too
    #[arg(long, requires = "terminal")]
    all: bool,
    /// Write all decisions to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "import")]
    export: Option<PathBuf>,
    /// Take over the decisions of a file that --export wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    import: Option<PathBuf>,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
}

/// What a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Decide(Decision),
    NeverHere,
    TakeBack,
    Next,
    NextGroup,
    End,
}

impl Answer {
    fn of(text: &str) -> Option<Answer> {
        Some(match text {
            "y" => Answer::Decide(Decision::Confirm),
            "n" => Answer::Decide(Decision::Reject),
            "x" => Answer::Decide(Decision::Never),
            "X" => Answer::NeverHere,
            "u" => Answer::TakeBack,
            "" => Answer::Next,
            "g" => Answer::NextGroup,
            "q" => Answer::End,
            _ => return None,
        })
    }
}

impl ReviewPhotos {
    pub(crate) fn run(self) -> Result<Status> {
        let (state, library) = self.state.open()?;
        let mut out = StandardOutput::open()?;
        if let Some(file) = &self.export {
            let count = Decisions::open(&state, library.id)?.export(file)?;
            writeln!(out, "{count} decisions")?;
            return Ok(Status::Done);
        }
        if let Some(file) = &self.import {
            let imported = Decisions::open(&state, library.id)?.import(&state, file)?;
            writeln!(out, "{} decisions taken over, {} known or older", imported.added, imported.known)?;
            return Ok(Status::Done);
        }
        let gazetteer = merged_places(self.places.as_deref())?.unwrap_or_else(Gazetteer::builtin);
        let mut review = Review::open(&state, &library, &gazetteer, self.landmark.as_deref())?;
        if review.groups().is_empty() && LibrarySettings::of(&state, library.id)?.model.is_none() {
            bail!("no model has looked at this library; run `cairn library scan` without --no-predict first");
        }
        if !self.terminal {
            return in_browser(review, &library.root, &gazetteer, self.port.unwrap_or(0));
        }
        let decided = ask(&mut review, &library.root, self.all)?;
        writeln!(out, "{decided} answers stored; `cairn library plan` makes them marks")?;
        Ok(Status::Done)
    }
}

/// Serves the review's page until Ctrl-C.
#[cfg(feature = "serve")]
fn in_browser(review: Review<'_>, root: &Path, gazetteer: &Gazetteer, port: u16) -> Result<Status> {
    use cairn_serve::{Desk, ReviewServer};

    let server = ReviewServer::bind(port)?;
    let mut out = StandardOutput::open()?;
    writeln!(out, "{}", server.url())?;
    out.flush()?;
    say("open this address in a browser on this machine; Ctrl-C ends the review");
    let mut desk = Desk::new(review, root, gazetteer);
    server.run(&mut desk)?;
    let stored = desk.decided();
    say(format!("decisions stored: {stored}; `cairn library plan` makes them marks"));
    Ok(Status::Done)
}

#[cfg(not(feature = "serve"))]
fn in_browser(_: Review<'_>, _: &Path, _: &Gazetteer, _: u16) -> Result<Status> {
    bail!("this cairn was built without its server: review with --terminal")
}

/// Asks about each photo. Returns how many answers were stored and not taken back.
fn ask(review: &mut Review<'_>, root: &Path, all: bool) -> Result<u32> {
    let open = |photo: &ReviewPhoto| all || photo.decision.is_none();
    // Where the person is; taking back goes one back.
    let places: Vec<(usize, usize)> = review
        .groups()
        .iter()
        .enumerate()
        .flat_map(|(group, of)| {
            (0..of.photos.len())
                .filter(|&at| open(&of.photos[at]))
                .map(move |at| (group, at))
                .collect::<Vec<_>>()
        })
        .collect();
    let (mut at, mut stored) = (0, 0);
    let mut answered: Vec<usize> = Vec::new();
    while let Some(&(group, photo)) = places.get(at) {
        let of = &review.groups()[group];
        show(of, &of.photos[photo], root)?;
        match answer()? {
            Answer::Decide(decision) => {
                review.decide(group, &[photo], decision)?;
                answered.push(at);
                stored += 1;
                at += 1;
            }
            Answer::NeverHere => {
                review.never_here(group)?;
                answered.push(at);
                stored += 1;
                at = after_group(&places, at);
            }
            Answer::TakeBack => {
                if review.take_back()?.is_some() {
                    stored -= 1;
                    at = answered.pop().unwrap_or(at);
                } else {
                    say("there is no answer to take back");
                }
            }
            Answer::Next => at += 1,
            Answer::NextGroup => at = after_group(&places, at),
            Answer::End => break,
        }
    }
    Ok(stored)
}

fn after_group(places: &[(usize, usize)], at: usize) -> usize {
    let group = places.get(at).map(|place| place.0);
    at + places[at..].iter().take_while(|place| Some(place.0) == group).count()
}

fn show(group: &ReviewGroup, photo: &ReviewPhoto, root: &Path) -> Result<()> {
    let path = root.join(&photo.path);
    // A photo that cannot be shown can still be decided about by its name.
    match Photo::open(&path) {
        Ok(picture) if standard_output::is_terminal() => terminal::show(&picture),
        Ok(_) => {}
        Err(error) => say(shown(&error.to_string())),
    }
    let mut out = StandardOutput::open()?;
    let decided = photo.decision.map(|decision| format!(", decided: {decision}")).unwrap_or_default();
    let conflict = if photo.is_conflict { ", its own position contradicts" } else { "" };
    let line = format!(
        "{}: is this {}? {:.1}%, {}{conflict}{decided}",
        photo.path.display(),
        group.landmark,
        photo.probability * 100.0,
        photo.verdict
    );
    writeln!(out, "{}", terminal::line(&line, 2))?;
    write!(out, "y/n/x/X/u/g/q ")?;
    out.flush()?;
    Ok(())
}

/// A line of standard input; its end is the end.
fn answer() -> Result<Answer> {
    loop {
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(Answer::End);
        }
        match Answer::of(line.trim()) {
            Some(answer) => return Ok(answer),
            None => say(
                "y yes, n no, x never this photo, X never this landmark here, u take back, Enter next, g next landmark, q end",
            ),
        }
    }
}
