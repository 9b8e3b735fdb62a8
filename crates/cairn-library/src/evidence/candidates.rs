//! Photos in which a model sees a landmark, or a person does.

use std::collections::HashMap;

use cairn_places::Gazetteer;

use super::rightness::Rightness;
use crate::scan::LibrarySettings;
use crate::state::{Decision, FileId, LibraryId, ModelId, ModelRow, PayloadHash, State, StateError};

/// A photo whose likeliest landmark is considered.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) file: FileId,
    pub(super) payload: PayloadHash,
    pub(super) landmark: String,
    pub(super) wikidata: Option<String>,
    /// How probable the model holds it; 0 where it did not name it at all.
    pub(super) probability: f64,
    pub(super) score: f64,
    /// Whether a person confirmed it.
    pub(super) confirmed: bool,
    /// Whether a person rejected it, or wants no marks there.
    pub(super) rejected: bool,
}

/// The candidates of a library, and the scores of all its photos.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) model: Option<ModelRow>,
    pub(super) candidates: Vec<Candidate>,
    /// Of every photo that the model looked at.
    pub(super) log_ratios: Vec<f64>,
}

impl Candidates {
    pub(super) fn of(
        state: &State,
        library: LibraryId,
        gazetteer: &Gazetteer,
    ) -> Result<Candidates, StateError> {
        let decisions = Decisions::of(state, library, gazetteer)?;
        let mut found = Candidates::default();
        if let Some(id) = LibrarySettings::of(state, library)?.model.map(ModelId) {
            found.model = state.model(id)?;
            if let Some(rightness) = found.model.as_ref().and_then(Rightness::of) {
                found.add_predicted(state, library, id, rightness, &decisions)?;
            }
        }
        found.add_confirmed(state, library, &decisions)?;
        found.candidates.sort_by_key(|candidate| candidate.file);
        Ok(found)
    }

    fn add_predicted(
        &mut self,
        state: &State,
        library: LibraryId,
        model: ModelId,
        rightness: Rightness,
        decisions: &Decisions,
    ) -> Result<(), StateError> {
        let mut query = state.connection().prepare_cached(
            "SELECT file.id, file.payload_hash, landmark, wikidata, probability, landmark_score FROM folder \
             JOIN file ON file.folder = folder.id \
             JOIN prediction ON prediction.payload_hash = file.payload_hash AND model = ? AND rank = 1 \
             WHERE folder.library = ? AND file.state = 'read'",
        )?;
        let mut rows = query.query((model.0, library.0))?;
        while let Some(row) = rows.next()? {
            let (probability, score): (f64, f64) = (row.get(4)?, row.get(5)?);
            // One landmark is likelier than all others together, or it is none.
            let is_named = probability > 0.5;
            self.log_ratios.push(if is_named { rightness.log_ratio(score) } else { f64::NEG_INFINITY });
            if !is_named || score < rightness.threshold() {
                continue;
            }
            let payload = row.get(1)?;
            let landmark: String = row.get(2)?;
            let decision = decisions.about(payload, &landmark);
            self.candidates.push(Candidate {
                file: FileId(row.get(0)?),
                payload,
                landmark,
                wikidata: row.get(3)?,
                probability,
                score,
                confirmed: decision == Some(Decision::Confirm),
                rejected: matches!(decision, Some(Decision::Reject | Decision::Never)),
            });
        }
        Ok(())
    }

    /// What a person confirmed is marked whatever the model says.
    fn add_confirmed(
        &mut self,
        state: &State,
        library: LibraryId,
        decisions: &Decisions,
    ) -> Result<(), StateError> {
        let known: std::collections::HashSet<(FileId, String)> =
            self.candidates.iter().map(|candidate| (candidate.file, candidate.landmark.clone())).collect();
        let mut query = state.connection().prepare_cached(
            "SELECT file.id FROM file JOIN folder ON folder.id = file.folder \
             WHERE file.payload_hash = ? AND folder.library = ? AND file.state IN ('read', 'unreadable')",
        )?;
        for (payload, of_picture) in &decisions.pictures {
            for made in of_picture.iter().filter(|made| made.decision == Decision::Confirm) {
                let Some(landmark) = &made.landmark else { continue };
                if decisions.about(*payload, landmark) != Some(Decision::Confirm) {
                    continue;
                }
                let files = query.query_map((payload, library.0), |row| row.get(0))?;
                for file in files {
                    let file = FileId(file?);
                    if !known.contains(&(file, landmark.clone())) {
                        self.candidates.push(Candidate {
                            file,
                            payload: *payload,
                            landmark: landmark.clone(),
                            wikidata: made.wikidata.clone(),
                            probability: 0.0,
                            score: f64::NEG_INFINITY,
                            confirmed: true,
                            rejected: false,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a person decided, the last decision about each thing.
#[derive(Debug, Default)]
struct Decisions {
    pictures: HashMap<PayloadHash, Vec<Made>>,
    /// Landmarks that are never marked in this library.
    never: Vec<String>,
}

#[derive(Debug)]
struct Made {
    landmark: Option<String>,
    wikidata: Option<String>,
    decision: Decision,
}

impl Decisions {
    fn of(state: &State, library: LibraryId, gazetteer: &Gazetteer) -> Result<Decisions, StateError> {
        let mut query = state.connection().prepare_cached(
            "SELECT payload_hash, landmark, wikidata, decision FROM decision \
             WHERE payload_hash IS NOT NULL OR library = ? ORDER BY decided, id",
        )?;
        let mut found = Decisions::default();
        let mut rows = query.query([library.0])?;
        while let Some(row) = rows.next()? {
            let (landmark, wikidata): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let decision: Decision = row.get(3)?;
            // The name that the gazetteer has now: a decision outlives a change of the name.
            let landmark = landmark.map(|name| name_now(gazetteer, name, wikidata.as_deref()));
            match row.get::<_, Option<PayloadHash>>(0)? {
                Some(payload) => {
                    let made = found.pictures.entry(payload).or_default();
                    made.retain(|earlier: &Made| earlier.landmark != landmark);
                    made.push(Made { landmark, wikidata, decision });
                }
                None => {
                    let Some(landmark) = landmark else { continue };
                    found.never.retain(|name| *name != landmark);
                    if decision == Decision::Never {
                        found.never.push(landmark);
                    }
                }
            }
        }
        Ok(found)
    }

    /// What holds for this landmark in this picture: never for any, then what was said of the landmark, then the library.
    fn about(&self, payload: PayloadHash, landmark: &str) -> Option<Decision> {
        let of_picture = self.pictures.get(&payload).map_or(&[][..], Vec::as_slice);
        let never = of_picture.iter().any(|made| made.landmark.is_none() && made.decision == Decision::Never);
        if never {
            return Some(Decision::Never);
        }
        let said = of_picture.iter().find(|made| made.landmark.as_deref() == Some(landmark));
        let of_library = self.never.iter().any(|name| name == landmark).then_some(Decision::Never);
        said.map(|made| made.decision).or(of_library)
    }
}

fn name_now(gazetteer: &Gazetteer, name: String, wikidata: Option<&str>) -> String {
    let same_item = |id: &str| {
        gazetteer.iter().find(|place| place.wikidata.as_ref().is_some_and(|item| item.to_string() == id))
    };
    match wikidata.and_then(same_item).or_else(|| gazetteer.find(&name)) {
        Some(place) => place.name.clone(),
        None => name,
    }
}
