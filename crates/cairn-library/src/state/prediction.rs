//! What models say about pictures.

use rusqlite::OptionalExtension;

use super::{PayloadHash, State, StateError};

/// A model's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub i64);

/// A model, and the views of photos by which it answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRow {
    /// Its hash, as rows of `cairn predict` have it: `sha256:` and 16 hexadecimal digits.
    pub hash: String,
    /// The views of each photo.
    pub views: String,
    /// What people call it.
    pub name: String,
    /// The kind of the score that says whether a photo shows a landmark; `None` where the model has none.
    pub score: Option<String>,
    /// From which score on a photo is taken for a landmark.
    pub threshold: Option<f64>,
    /// From which score on it surely shows one.
    pub sure: Option<f64>,
}

/// One of the likeliest landmarks in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRow {
    /// 1 for the likeliest.
    pub rank: u32,
    /// The gazetteer's name of the landmark; of a class without a place, its name for people.
    pub landmark: String,
    /// Its item on Wikidata.
    pub wikidata: Option<String>,
    /// How probable the model holds it, among the landmarks that it knows.
    pub probability: f64,
    /// The score that says whether the picture shows a landmark at all.
    pub landmark_score: f64,
}

impl State {
    /// The number of this model, which is added if it is new.
    pub(crate) fn add_model(&self, model: &ModelRow) -> Result<ModelId, StateError> {
        let connection = self.connection();
        connection.execute(
            "INSERT INTO model (hash, views, name, score, threshold, sure) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (hash, views) DO UPDATE SET name = ?3, score = ?4, threshold = ?5, sure = ?6",
            (&model.hash, &model.views, &model.name, &model.score, model.threshold, model.sure),
        )?;
        let id = connection.query_row(
            "SELECT id FROM model WHERE hash = ? AND views = ?",
            (&model.hash, &model.views),
            |row| row.get(0),
        )?;
        Ok(ModelId(id))
    }

    /// The model that looked at this library last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn model(&self, id: ModelId) -> Result<Option<ModelRow>, StateError> {
        let mut query = self.connection().prepare_cached("SELECT * FROM model WHERE id = ?")?;
        let row = query.query_row([id.0], |row| {
            Ok(ModelRow {
                hash: row.get("hash")?,
                views: row.get("views")?,
                name: row.get("name")?,
                score: row.get("score")?,
                threshold: row.get("threshold")?,
                sure: row.get("sure")?,
            })
        });
        Ok(row.optional()?)
    }

    /// What a model says about a picture, the likeliest landmark first; empty where it did not look at it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn predictions(
        &self,
        payload: PayloadHash,
        model: ModelId,
    ) -> Result<Vec<PredictionRow>, StateError> {
        let mut query = self.connection().prepare_cached(
            "SELECT rank, landmark, wikidata, probability, landmark_score FROM prediction \
             WHERE payload_hash = ? AND model = ? ORDER BY rank",
        )?;
        let rows = query.query_map((payload, model.0), |row| {
            Ok(PredictionRow {
                rank: row.get(0)?,
                landmark: row.get(1)?,
                wikidata: row.get(2)?,
                probability: row.get(3)?,
                landmark_score: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores what a model says about a picture.
    pub(crate) fn put_predictions(
        &self,
        payload: PayloadHash,
        model: ModelId,
        predictions: &[PredictionRow],
    ) -> Result<(), StateError> {
        let mut statement = self.connection().prepare_cached(
            "INSERT OR REPLACE INTO prediction \
             (payload_hash, model, rank, landmark, wikidata, probability, landmark_score) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        for row in predictions {
            statement.execute((
                payload,
                model.0,
                row.rank,
                &row.landmark,
                &row.wikidata,
                row.probability,
                row.landmark_score,
            ))?;
        }
        Ok(())
    }
}
