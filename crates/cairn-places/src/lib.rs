//! The gazetteer: what each landmark is and where it is.
//!
//! ```
//! use cairn_places::Gazetteer;
//!
//! let gazetteer = Gazetteer::builtin();
//! let place = gazetteer.find("16.Eiffel_Tower").expect("one of the built-in places");
//! assert_eq!(place.summary(), "Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)");
//! assert_eq!(place.with_article(), "the Eiffel Tower");
//! ```
//!
//! The built-in places are those of the 50 classes of the published landmark set and of the 56 of cairn's own.
//! A class without a place is nothing to worry about: [`Gazetteer::find`] gives `None`.
//!
//! # A file of your own
//!
//! Places for classes of your own go into a TOML file, one `[[place]]` each, in the format of the built-in file
//! (`places.toml` beside this crate's sources):
//!
//! ```
//! # let text = r#"
//! [[place]]
//! name = "Heidelberg Castle"               # as people read it
//! takes_the = false                        # "Is this a picture of Heidelberg Castle?"
//! also = ["Schloss Heidelberg", "Schloss"] # other names: class folders, other languages
//! kind = "castle"
//! latitude = 49.4106                       # degrees, WGS 84, north positive
//! longitude = 8.7158                       # degrees, WGS 84, east positive
//! visible_from_km = 5                      # from how far people photograph it
//! locality = "Heidelberg"                  # city or region
//! city = "Heidelberg"
//! region = "Baden-Württemberg"
//! country = "Germany"
//! country_code = "DE"                      # ISO 3166-1 alpha-2
//! wikidata = "Q327265"
//! description = "Ruin of a red sandstone palace above the old town."
//! tags = ["Renaissance", "ruin"]
//! # "#;
//! # cairn_places::Gazetteer::from_toml(text, "the example")?;
//! # Ok::<(), cairn_places::PlacesError>(())
//! ```
//!
//! | key | | |
//! | --- | --- | --- |
//! | `name` | required | the name to show, without its article |
//! | `takes_the` | `false` | whether a sentence puts "the" before the name |
//! | `also` | `[]` | other names that classes may have |
//! | `kind` | required | what it is, in a word or two |
//! | `latitude`, `longitude` | required | in degrees |
//! | `visible_from_km` | by kind | from how far people photograph it, in kilometres from its point |
//! | `locality` | required | city, or region where there is no city, as people say it |
//! | `city` | optional | the city, town or village in which it stands, and nothing else |
//! | `region` | optional | the state, province or region of the country |
//! | `country`, `country_code` | required | the country's name, and its ISO 3166-1 code of two letters |
//! | `wikidata` | optional | the item's identifier on [Wikidata](https://www.wikidata.org), such as `"Q243"` |
//! | `description` | optional | one line |
//! | `tags` | `[]` | words to search by |
//!
//! A key that is not in this table is an error, so that no misspelt key is overlooked. (So a file with `visible_from_km`, `city` or
//! `region` is refused by cairn 0.1 and older.)
//!
//! A class finds its place by `name` or one of `also`. Case, accents, apostrophes, underscores, a leading number
//! and a leading "the" make no difference: `12.Chichen_Itza`, `chichen itza` and `the Chichén Itzá` are one name. No
//! name may lead to two places of one file.
//!
//! [`Gazetteer::merge`] lays such a file over the built-in one: a place with the name of another replaces it.

mod coordinates;
mod country_code;
mod distance;
mod error;
mod gazetteer;
mod name_key;
mod place;
mod wikidata_id;

pub use coordinates::{Latitude, Longitude};
pub use country_code::CountryCode;
pub use error::PlacesError;
pub use gazetteer::Gazetteer;
pub use name_key::NameKey;
pub use place::Place;
pub use wikidata_id::WikidataId;
