//! Plans: what is to be written, and how it is written, undone and verified.
//!
//! A plan is a file that decides everything: which bytes of which file become which. [`apply()`] carries it out, keeps what it
//! replaced in a journal, and never overwrites a change of another program; [`undo()`] takes it back. The journal is a text file
//! and the truth; the rows of the database mirror it.

mod apply;
mod error;
mod file;
mod folders;
mod install;
mod journal;
mod make;
mod mark;
mod op;
mod path_text;
mod photo;
mod recover;
mod request;
mod undo;
mod verify;

pub use apply::{ApplyOptions, ApplyReport, OpOutcome, apply};
pub use error::PlanError;
pub use file::{PlanFile, PlanHeader, PlanTarget, PlanWriter};
pub use install::{Observer, Replacement, Step, Unobserved};
pub use make::{MakeReport, make};
pub use mark::{Level, Roots};
pub use op::{FieldChange, Guard, MtimePolicy, Op, OpKind, Work, Write};
pub use photo::SkipReason;
pub use recover::recover;
pub use request::{Destination, PlanRequest};
pub use undo::{UndoOptions, UndoReport, undo, undo_from_marks};
pub use verify::{Decode, Finding, VerifyReport, verify};
