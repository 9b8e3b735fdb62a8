//! One landmark: what it is and where it is.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{CountryCode, Latitude, Longitude, WikidataId};

/// One landmark: what it is and where it is. Serialises to the keys that [the file format](crate) names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The name to show, without its article: `Eiffel Tower`.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Whether a sentence puts "the" before the name.
    #[serde(default)]
    pub takes_the: bool,
    /// Other names that classes of this landmark may have.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it is, in a word or two: `tower`, `national park`.
    #[serde(deserialize_with = "text")]
    pub kind: String,
    /// Latitude. For a large place, that of a point that represents it.
    pub latitude: Latitude,
    /// Longitude.
    pub longitude: Longitude,
    /// From how far people photograph it, in kilometres, from the point above; [`Place::sight_km`] has a default.
    #[serde(default, deserialize_with = "kilometres", skip_serializing_if = "Option::is_none")]
    pub visible_from_km: Option<f64>,
    /// The city, or the region where there is no city.
    #[serde(deserialize_with = "text")]
    pub locality: String,
    /// The city, town or village in which it stands, if it stands in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state, province or region of the country, where it has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The country's name in English. For a landmark on a border, the country of the point above.
    #[serde(deserialize_with = "text")]
    pub country: String,
    /// The country's code.
    pub country_code: CountryCode,
    /// The landmark's item on Wikidata.
    #[serde(default)]
    pub wikidata: Option<WikidataId>,
    /// What a stranger should know, in one line.
    #[serde(default)]
    pub description: Option<String>,
    /// Words to search by.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// How near the map of [`Place::map_url`] is: a few streets around.
const MAP_ZOOM: u8 = 15;

impl Place {
    /// The name as a sentence has it: `the Eiffel Tower`, `Petra`.
    pub fn with_article(&self) -> String {
        if self.takes_the { format!("the {}", self.name) } else { self.name.clone() }
    }

    /// Name and place in one line: `Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)`.
    pub fn summary(&self) -> String {
        let Place { name, locality, country, latitude, longitude, .. } = self;
        format!("{name}, {locality}, {country} ({latitude}, {longitude})")
    }

    /// The address of an [OpenStreetMap](https://www.openstreetmap.org) map with a marker on the place.
    pub fn map_url(&self) -> String {
        let latitude = format!("{:.4}", self.latitude.degrees());
        let longitude = format!("{:.4}", self.longitude.degrees());
        let marker = format!("mlat={latitude}&mlon={longitude}");
        format!("https://www.openstreetmap.org/?{marker}#map={MAP_ZOOM}/{latitude}/{longitude}")
    }

    /// From how far people photograph it, in kilometres: [`Place::visible_from_km`], or else what is usual for its kind.
    pub fn sight_km(&self) -> f64 {
        let of_kind = |words: &[&str]| words.iter().any(|word| self.kind.to_lowercase().contains(word));
        self.visible_from_km.unwrap_or_else(|| match () {
            () if of_kind(&["mountain", "park", "canyon", "lake", "volcano", "reef", "glacier"]) => 50.0,
            () if of_kind(&["tower", "skyscraper", "waterfall", "statue", "castle"]) => 5.0,
            () if of_kind(&["bridge", "monument", "site", "palace", "stadium"]) => 2.0,
            () => 1.0,
        })
    }

    /// Every name that the place is found by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.also).map(String::as_str)
    }
}

/// Text that says something.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(de::Error::custom("must not be blank")) } else { Ok(text) }
}

/// A length that is more than nothing and fits the Earth.
fn kilometres<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    /// Half of the Earth's girth.
    const FARTHEST: f64 = 20_040.0;
    let kilometres = f64::deserialize(deserializer)?;
    if kilometres > 0.0 && kilometres <= FARTHEST {
        Ok(Some(kilometres))
    } else {
        Err(de::Error::custom(format!(
            "must be more than 0 and at most {FARTHEST} kilometres, not {kilometres}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opera_house() -> Place {
        Place {
            name: "Sydney Opera House".to_owned(),
            takes_the: true,
            also: vec![],
            kind: "opera house".to_owned(),
            latitude: Latitude::try_from(-33.8571).unwrap(),
            longitude: Longitude::try_from(151.2151).unwrap(),
            visible_from_km: None,
            locality: "Sydney".to_owned(),
            city: None,
            region: None,
            country: "Australia".to_owned(),
            country_code: CountryCode::try_from("AU".to_owned()).unwrap(),
            wikidata: None,
            description: None,
            tags: vec![],
        }
    }

    #[test]
    fn a_summary_names_the_place_and_says_where_it_is() {
        assert_eq!(opera_house().summary(), "Sydney Opera House, Sydney, Australia (33.8571 S, 151.2151 E)");
    }

    #[test]
    fn a_map_link_marks_the_place() {
        assert_eq!(
            opera_house().map_url(),
            "https://www.openstreetmap.org/?mlat=-33.8571&mlon=151.2151#map=15/-33.8571/151.2151"
        );
    }

    #[test]
    fn a_place_without_a_distance_is_seen_as_far_as_others_of_its_kind() {
        let sight = |kind: &str| Place { kind: kind.to_owned(), ..opera_house() }.sight_km();
        assert_eq!(
            [sight("Mountain"), sight("bell tower"), sight("bridge"), sight("fountain")],
            [50.0, 5.0, 2.0, 1.0]
        );
        assert_eq!(Place { visible_from_km: Some(8.0), ..opera_house() }.sight_km(), 8.0);
    }

    #[test]
    fn the_article_is_there_where_the_name_takes_it() {
        assert_eq!(opera_house().with_article(), "the Sydney Opera House");
        assert_eq!(Place { takes_the: false, ..opera_house() }.with_article(), "Sydney Opera House");
    }
}
