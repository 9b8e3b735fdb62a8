//! What became of one photo.

use serde::Serialize;

use super::camera::Camera;
use super::file_stamp::FileStamp;
use super::identity::ModelIdentity;
use crate::{Landmark, LandmarkSet, Prediction};

/// What became of one photo.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// Name of the photo: its path as given, or the name under which it was sent.
    pub photo: String,
    /// The prediction, or why there is none.
    #[serde(flatten)]
    pub outcome: RowOutcome<'a>,
    /// What the photo says of its camera, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Camera>,
    /// Size and time of the photo's file, if it is one.
    #[serde(flatten)]
    pub stamp: Option<FileStamp>,
    /// The model that was asked; `None` where it is named once for many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a ModelIdentity>,
}

/// A prediction, or why there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum RowOutcome<'a> {
    /// What the model says.
    Prediction(&'a Prediction),
    /// The photo could not be read.
    Unreadable {
        /// Why.
        error: String,
    },
}

/// What is written of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Photo, name, probability and coordinates.
    Brief,
    /// Everything.
    Whole,
}

impl Row<'_> {
    /// The landmark that the photo is taken to show.
    pub fn landmark(&self) -> Option<&Landmark> {
        match &self.outcome {
            RowOutcome::Prediction(prediction) => prediction.named(),
            RowOutcome::Unreadable { .. } => None,
        }
    }

    /// The set of landmarks of the coverage that was asked for, if one was.
    pub fn set(&self) -> Option<&LandmarkSet> {
        match &self.outcome {
            RowOutcome::Prediction(prediction) => prediction.set.as_ref(),
            RowOutcome::Unreadable { .. } => None,
        }
    }

    /// Why the photo could not be read.
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            RowOutcome::Prediction(_) => None,
            RowOutcome::Unreadable { error } => Some(error),
        }
    }
}
