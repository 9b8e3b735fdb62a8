//! Lists that one process names and another opens.

use cairn_dataset::path_of_text;
use serde::{Deserialize, Serialize};

use super::input::{Base, Held};
use super::{Cut, Input, ListError, Listed, PlannedInput};
use crate::LabelError;
use crate::store::Store;
use crate::stores::{Place, Stores, absolute, place_of};

/// Rows among which a photo is looked for.
const LOOKED_AT: usize = 16;

/// Where a list is, as other processes find it: absolute paths, or addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPlace {
    /// The list; none of one that is in the output.
    file: Option<String>,
    /// From where names in it are looked for.
    base: String,
}

impl Input {
    /// Where it is, for [`Input::open_planned`] in another process.
    ///
    /// # Errors
    /// When whoever sees its address could read it.
    pub fn place_for_others(&self) -> Result<ListPlace, LabelError> {
        let file = match &self.held {
            Held::Output => None,
            Held::File(path) => Some(absolute(path)?),
            Held::Far(address) if address.is_signed() => {
                let reason =
                    "other machines are not told of a signed URL; copy the list to where they see it";
                return Err(self.error(reason.to_owned()).into());
            }
            Held::Far(address) => Some(address.to_string()),
        };
        let base = match &self.base {
            Base::Folder(folder) => absolute(folder)?,
            Base::Address(address) => address.to_string(),
        };
        Ok(ListPlace { file, base })
    }

    /// The first photo of a stretch of it that is a file of this machine, as other processes find it: by it they see whether they
    /// see the photos. Few rows are looked at.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn photo_for_others(&self, cut: Cut) -> Result<Option<String>, LabelError> {
        for row in self.rows(cut)?.take(LOOKED_AT) {
            let row = row.map_err(|reason| self.error(reason))?;
            let Listed::AtName = row.source else { continue };
            match self.place(&row.name) {
                Ok(Place::Path(path)) if path.is_file() => return Ok(Some(absolute(&path)?)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Opens a list of a plan where another process says that it is.
    ///
    /// # Errors
    /// When it cannot be read here, or is not the one that was planned.
    pub fn open_planned(
        planned: &PlannedInput,
        place: &ListPlace,
        stores: &Stores,
        out: &dyn Store,
    ) -> Result<Self, LabelError> {
        let base = match place_of(&path_of_text(&place.base))? {
            Place::Path(folder) => Base::Folder(folder),
            Place::Address(address) => Base::Address(address),
        };
        let Some(file) = &place.file else { return Self::in_output(planned, out, base) };
        let input = match place_of(&path_of_text(file))? {
            Place::Path(path) => Self::at_path(&path, base)?,
            Place::Address(address) => Self::at_address(&address, stores, base)?,
        };
        if input.planned != *planned {
            let reason = "is another file here than the one that was planned".to_owned();
            return Err(ListError { list: file.clone(), reason }.into());
        }
        Ok(input)
    }
}
