//! Groups: the files of one shot.

use super::words::words;
use super::{FileId, State, StateError};

/// A group's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub i64);

/// What a file is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A picture: JPEG, HEIC, PNG and so on.
    Picture,
    /// A camera's raw file.
    Raw,
    /// The moving half of a Live Photo or motion photo, or a video by itself.
    Video,
    /// A sidecar in XMP.
    Xmp,
    /// The JSON file that Google Takeout puts beside a photo.
    Takeout,
    /// Another sidecar: AAE, THM and so on.
    OtherSidecar,
    /// A sidecar of which it is not clear to what it belongs; the reason says why. It is never edited.
    Ambiguous,
    /// A sidecar of a photo that is not there. It is never edited.
    Orphan,
}

words!(Role, "role in a group" {
    Picture = "picture",
    Raw = "raw",
    Video = "video",
    Xmp = "xmp",
    Takeout = "takeout",
    OtherSidecar = "other sidecar",
    Ambiguous = "ambiguous",
    Orphan = "orphan",
});

/// A file in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// The file.
    pub file: FileId,
    /// Its group.
    pub group: GroupId,
    /// What it is there.
    pub role: Role,
    /// Why it belongs to nothing, where it does not.
    pub reason: Option<String>,
}

impl State {
    /// All files of the group of this file, itself too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn group_of(&self, file: FileId) -> Result<Vec<GroupMember>, StateError> {
        let mut query = self.connection().prepare_cached(
            "SELECT file, group_id, role, reason FROM group_member \
             WHERE group_id = (SELECT group_id FROM group_member WHERE file = ?) ORDER BY file",
        )?;
        let rows = query.query_map([file.0], |row| {
            Ok(GroupMember {
                file: FileId(row.get(0)?),
                group: GroupId(row.get(1)?),
                role: row.get(2)?,
                reason: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
