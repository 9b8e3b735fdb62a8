//! A training watched on the whole terminal: curves, speed, time left, the last messages.
//!
//! The training tells what happens on its own thread; another thread draws and listens to the keys, so that both the
//! screen and `q` answer while a batch is under way.

pub(crate) mod screen;
mod standing;
mod view;

use std::io;
use std::process;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cairn_train::{Event, History, Interrupt, Observer};
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::progress::say;
use crate::signals;
use screen::Screen;
use standing::Standing;

/// How long the screen waits for a key before it is redrawn.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// How long the drawing thread may take to end: on a terminal that was closed, reading keys never returns.
const END_WITHIN: Duration = Duration::from_secs(2);

/// The terminal while a training is watched on it; dropping it gives the terminal back.
pub(crate) struct Dashboard {
    standing: Arc<Mutex<Standing>>,
    /// Disconnected when the drawing thread has ended.
    drawing: Receiver<()>,
}

impl Dashboard {
    /// Takes the terminal for the run called `title`, of at most `epochs` epochs, of which `history` are done. `q` and
    /// Ctrl-C ask `interrupt` for a stop; a second time they end the program.
    pub(crate) fn open(
        title: String,
        epochs: usize,
        history: Option<History>,
        interrupt: Interrupt,
    ) -> io::Result<Self> {
        let screen = Screen::open()?;
        let standing = Arc::new(Mutex::new(Standing::new(title, epochs, history.unwrap_or_default())));
        let shown = Arc::clone(&standing);
        let (alive, drawing) = mpsc::channel();
        thread::spawn(move || {
            watch(screen, &shown, &interrupt);
            drop(alive);
        });
        Ok(Self { standing, drawing })
    }

    /// How many photos were left out.
    pub(crate) fn bad_photos(&self) -> usize {
        lock(&self.standing).words.bad_photos()
    }
}

impl Observer for Dashboard {
    fn on_event(&mut self, event: Event<'_>) {
        lock(&self.standing).note(&event);
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        lock(&self.standing).closed = true;
        // Nothing is ever sent: this waits for the thread's end. One that panicked has said so already.
        if self.drawing.recv_timeout(END_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout) {
            screen::give_back();
        }
        // The screen is gone, and with it the names of photos that were left out.
        lock(&self.standing).left_out.iter().for_each(say);
    }
}

fn lock(standing: &Mutex<Standing>) -> MutexGuard<'_, Standing> {
    standing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws and listens until the training is over. A terminal that is no longer there ends the watching, not the training.
fn watch(mut screen: Screen, standing: &Mutex<Standing>, interrupt: &Interrupt) {
    while !lock(standing).closed {
        lock(standing).stopping = interrupt.requested();
        if screen.draw(|frame| view::draw(frame, &lock(standing))).is_err() {
            return;
        }
        match event::poll(REDRAW_EVERY) {
            Ok(false) => {}
            Ok(true) => match event::read() {
                Ok(Input::Key(key)) if asks_to_stop(key) => {
                    if interrupt.requested() {
                        drop(screen);
                        process::exit(signals::exit_status().into());
                    }
                    interrupt.request();
                }
                Ok(_) => {}
                Err(_) => return,
            },
            Err(_) => return,
        }
    }
}

/// `q`, or Ctrl-C, which is a key like others while the terminal is taken.
fn asks_to_stop(key: KeyEvent) -> bool {
    let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (ctrl_c || key.code == KeyCode::Char('q'))
}
