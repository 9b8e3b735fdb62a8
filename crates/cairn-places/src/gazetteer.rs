//! Places, found by the names of classes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::name_key::NameKey;
use crate::{Place, PlacesError, WikidataId};

/// Places, found by the names of classes.
#[derive(Debug, Clone, Default)]
pub struct Gazetteer {
    places: Vec<Place>,
    /// For each name, the index of its place in `places`.
    by_name: HashMap<NameKey, usize>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacesFile {
    #[serde(default)]
    place: Vec<Place>,
}

impl Gazetteer {
    /// The places that come with cairn.
    pub fn builtin() -> Gazetteer {
        // The text is part of the program, and a test reads it.
        Gazetteer::from_toml(include_str!("../places.toml"), "places.toml")
            .expect("the built-in places are valid")
    }

    /// The places in a TOML file; [the crate's page](crate) describes the format.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Gazetteer::from_toml`].
    pub fn read(path: impl AsRef<Path>) -> Result<Gazetteer, PlacesError> {
        let path = path.as_ref();
        let text =
            fs::read_to_string(path).map_err(|source| PlacesError::Read { path: path.to_owned(), source })?;
        Gazetteer::from_toml(&text, &path.display().to_string())
    }

    /// The places in TOML text; `origin` is what errors call it.
    ///
    /// # Errors
    /// When the text is not TOML or an entry is not a place (the error names the line), when a name cannot be looked up
    /// or leads to two places, and when two places have one Wikidata item.
    pub fn from_toml(text: &str, origin: &str) -> Result<Gazetteer, PlacesError> {
        let file: PlacesFile = toml::from_str(text)
            .map_err(|source| PlacesError::Format { origin: origin.to_owned(), source: Box::new(source) })?;
        refuse_shared_wikidata_ids(&file.place, origin)?;
        let mut gazetteer = Gazetteer::default();
        for place in file.place {
            gazetteer.add(place, origin)?;
        }
        Ok(gazetteer)
    }

    /// Adds a place that has no name in common with those that are there.
    fn add(&mut self, place: Place, origin: &str) -> Result<(), PlacesError> {
        let index = self.places.len();
        for name in place.names() {
            let key = NameKey::new(name).ok_or_else(|| PlacesError::Unfindable {
                origin: origin.to_owned(),
                place: place.name.clone(),
                name: name.to_owned(),
            })?;
            let holder = *self.by_name.entry(key).or_insert(index);
            // Another spelling of a name that the place has already is no fault.
            if holder != index {
                return Err(PlacesError::SharedName {
                    origin: origin.to_owned(),
                    first: self.places[holder].name.clone(),
                    second: place.name.clone(),
                    name: name.to_owned(),
                });
            }
        }
        self.places.push(place);
        Ok(())
    }

    /// The place of a class, by its folder (`16.Eiffel_Tower`) or any of its names, whatever the case and the accents.
    pub fn find(&self, folder_or_name: &str) -> Option<&Place> {
        let index = *self.by_name.get(&NameKey::new(folder_or_name)?)?;
        self.places.get(index)
    }

    /// Lays the places of `other` over these.
    ///
    /// A place of `other` whose `name` finds a place here replaces that one, and is found by its other names, too.
    /// Any name that both have leads to the place of `other`.
    pub fn merge(&mut self, other: Gazetteer) {
        let mut replaced = HashSet::new();
        for place in other.places {
            let keys: Vec<NameKey> = place.names().filter_map(NameKey::new).collect();
            let same = keys.first().and_then(|key| self.by_name.get(key)).copied();
            let index = match same.filter(|&index| replaced.insert(index)) {
                Some(index) => {
                    self.places[index] = place;
                    index
                }
                None => {
                    self.places.push(place);
                    let index = self.places.len() - 1;
                    // No later place of `other` may replace this one.
                    replaced.insert(index);
                    index
                }
            };
            self.by_name.extend(keys.into_iter().map(|key| (key, index)));
        }
    }

    /// All places, in the order of the file; those that [`Gazetteer::merge`] added come last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Place> {
        self.places.iter()
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no place at all.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

fn refuse_shared_wikidata_ids(places: &[Place], origin: &str) -> Result<(), PlacesError> {
    let mut holders: HashMap<&WikidataId, &Place> = HashMap::new();
    for place in places {
        let Some(id) = &place.wikidata else { continue };
        if let Some(first) = holders.insert(id, place) {
            return Err(PlacesError::SharedWikidataId {
                origin: origin.to_owned(),
                first: first.name.clone(),
                second: place.name.clone(),
                id: id.clone(),
            });
        }
    }
    Ok(())
}
