//! What is remembered of a library besides its files.

use serde::{Deserialize, Serialize};

use crate::state::{LibraryId, ModelId, State, StateError};

/// What is remembered of a library besides its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LibrarySettings {
    /// The number of the model that looked at it last.
    pub model: Option<i64>,
}

impl LibrarySettings {
    /// Those of a library.
    ///
    /// # Errors
    /// When the database cannot be read, or holds none.
    pub fn of(state: &State, library: LibraryId) -> Result<LibrarySettings, StateError> {
        let text: String = state.connection().query_row(
            "SELECT settings FROM library WHERE id = ?",
            [library.0],
            |row| row.get(0),
        )?;
        serde_json::from_str(&text)
            .map_err(|_| StateError::Value { what: "the settings of a library", value: text })
    }
}

/// Changes the settings of a library.
fn change(
    state: &State,
    library: LibraryId,
    change: impl FnOnce(&mut LibrarySettings),
) -> Result<(), StateError> {
    let mut settings = LibrarySettings::of(state, library)?;
    change(&mut settings);
    // Numbers alone: JSON has a text for each.
    let text = serde_json::to_string(&settings).unwrap_or_else(|_| "{}".to_owned());
    state.connection().execute("UPDATE library SET settings = ? WHERE id = ?", (text, library.0))?;
    Ok(())
}

/// Remembers the model that looks at a library.
pub(crate) fn set_model(state: &State, library: LibraryId, model: ModelId) -> Result<(), StateError> {
    change(state, library, |settings| settings.model = Some(model.0))
}
