//! A photo and what is said of it.

use cairn_map::MapPoint;
use cairn_model::rows::{Camera, Row, RowOutcome};
use cairn_model::{Landmark, LandmarkSet, Prediction};
use cairn_places::Place;
use maud::{Markup, html};

use super::bars::{bar, bars};
use super::camera::camera_facts;
use super::downloads::{row_csv, row_feature, row_json};
use super::feedback::feedback;
use super::map::{point_of_camera, region};

/// What a card shows beside its row.
#[derive(Debug, Clone, Default)]
pub(crate) struct CardOptions {
    /// The element's id, by which links and labels find it.
    pub id: String,
    /// The photo's address; without one the page's script shows its own copy.
    pub picture: Option<String>,
    /// The address of the photo under its heat map, where that is made already.
    pub heat_map: Option<String>,
    /// Whether the script may ask for the heat map.
    pub explains: bool,
    /// The kind of error of a photo that was not answered, by which the script knows what to try.
    pub error: Option<&'static str>,
    /// Whether corrections are taken.
    pub feedback: bool,
}

/// The card of a photo. It carries the photo's row as JSON, CSV and GeoJSON, for downloads.
pub(crate) fn card(row: &Row<'_>, options: &CardOptions) -> Markup {
    let named = row.landmark();
    let place = named.and_then(|landmark| landmark.place.as_ref());
    let point = place.map(MapPoint::of_place);
    let kind = match (&row.outcome, named) {
        (RowOutcome::Unreadable { .. }, _) => "unreadable",
        (_, Some(_)) => "landmark",
        (_, None) => "other",
    };
    let title = format!("{}-title", options.id);
    html! {
        article.card.(kind) id=(options.id) tabindex="-1" aria-labelledby=(title)
            data-photo=(row.photo) data-error=[options.error]
            data-json=[row_json(row)] data-csv=[row_csv(row)] data-geojson=(row_feature(row))
            data-x=[point.map(|point| point.x)] data-y=[point.map(|point| point.y)]
            data-name=[place.map(|place| &place.name)] {
            (picture(row, named, options))
            div.said {
                @match &row.outcome {
                    RowOutcome::Prediction(prediction) => (said(prediction, row.camera.as_ref(), &title)),
                    RowOutcome::Unreadable { error } => {
                        h2 id=(title) { "Not a photo that I can read" }
                        p.reason { (error) }
                    }
                }
                @if let RowOutcome::Prediction(_) = &row.outcome {
                    @if options.feedback {
                        (feedback(named.map(|landmark| landmark.class.as_str()), &options.id))
                    }
                }
            }
        }
    }
}

/// The photo, and over it its heat map, if that is there or may be asked for.
fn picture(row: &Row<'_>, named: Option<&Landmark>, options: &CardOptions) -> Markup {
    let readable = matches!(row.outcome, RowOutcome::Prediction(_));
    let toggle = options.heat_map.is_some() || options.explains && readable;
    let of_what = named.map_or("photo", |landmark| landmark.name.as_str());
    html! {
        figure {
            @if toggle {
                label.toggle hidden[options.heat_map.is_none()] {
                    input.heat type="checkbox"; " Heat map"
                }
            }
            div.frame {
                @if let Some(address) = &options.picture {
                    img.photo src=(address) alt={ "Photo of " (of_what) };
                }
                @if let Some(address) = &options.heat_map {
                    img.heat-map src=(address) alt="The same under its heat map: what spoke for the answer is red";
                }
            }
            figcaption { (row.photo) }
        }
    }
}

/// Name, place, bars, map and camera.
fn said(prediction: &Prediction, camera: Option<&Camera>, title: &str) -> Markup {
    let named = prediction.named();
    let place = named.and_then(|landmark| landmark.place.as_ref());
    let (first, others) = match (named, prediction.worth_saying()) {
        (Some(_), [first, others @ ..]) => (Some(first), others),
        (_, all) => (None, all),
    };
    html! {
        @if let Some(landmark) = first {
            h2 id=(title) {
                @if prediction.is_doubtful() { span.maybe { "Maybe " } }
                (landmark.name)
            }
            @if let Some(place) = place {
                p.where { (place.locality) ", " (place.country) }
            } @else {
                p.where { "Where it is, I do not know." }
            }
            p.sure { (bar(landmark.probability)) span.percent { (landmark.probability) } }
            @if let Some(description) = place.and_then(|place| place.description.as_ref()) {
                p.description { (description) }
            }
        } @else {
            h2 id=(title) { "No landmark that I know" }
            p.where { "The closest:" }
        }
        @if !others.is_empty() {
            @if first.is_some() { p.or-else { "Or else:" } }
            (bars(others))
        }
        @if let Some(set) = &prediction.set { p.set { (one_of(set)) } }
        @if let Some(place) = place {
            (region(place, camera.and_then(point_of_camera)))
            p.links { (links(place)) }
        }
        @if let Some(camera) = camera { (camera_facts(camera)) }
    }
}

/// `In 95.0% of cases one of these: Petra, Taj Mahal.`
fn one_of(set: &LandmarkSet) -> String {
    let names: Vec<&str> = set.landmarks.iter().map(|landmark| landmark.name.as_str()).collect();
    let share = set.coverage * 100.0;
    match names.as_slice() {
        [only] => format!("In {share:.1}% of cases only {only}."),
        names => format!("In {share:.1}% of cases one of these: {}.", names.join(", ")),
    }
}

/// Coordinates, and addresses that tell more.
fn links(place: &Place) -> Markup {
    html! {
        span.coordinates { (place.latitude) ", " (place.longitude) }
        " "
        a href=(place.map_url()) rel="noreferrer" { "OpenStreetMap" }
        @if let Some(id) = &place.wikidata { " " a href=(id.url()) rel="noreferrer" { "Wikidata" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;

    fn row<'a>(photo: &str, outcome: RowOutcome<'a>) -> Row<'a> {
        Row { photo: photo.to_owned(), outcome, camera: None, stamp: None, model: None }
    }

    fn of(is_landmark: bool, options: &CardOptions) -> String {
        let prediction = sample::prediction(is_landmark);
        card(&row("a<b>.jpg", RowOutcome::Prediction(&prediction)), options).into_string()
    }

    #[test]
    fn a_landmark_has_name_place_links_and_a_map() {
        let text = of(true, &CardOptions { id: "photo-1".to_owned(), ..CardOptions::default() });
        for part in [
            "class=\"card landmark\" id=\"photo-1\"",
            "<h2 id=\"photo-1-title\">Eiffel Tower</h2>",
            "Paris, France",
            "75.0%",
            "https://www.openstreetmap.org/?mlat=48.8584&amp;mlon=2.2945#map=15/48.8584/2.2945",
            "https://www.wikidata.org/wiki/Q243",
            "aria-label=\"Map: Eiffel Tower in Paris, France\"",
            "a&lt;b&gt;.jpg",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("a<b>") && !text.contains("style=") && !text.contains("feedback"), "{text}");
    }

    #[test]
    fn a_landmark_that_the_model_is_not_sure_of_is_a_maybe() {
        let mut prediction = sample::prediction(true);
        prediction.sure = Some(false);
        let text =
            card(&row("a.jpg", RowOutcome::Prediction(&prediction)), &CardOptions::default()).into_string();
        assert!(text.contains("<span class=\"maybe\">Maybe </span>Eiffel Tower"), "{text}");
    }

    #[test]
    fn a_set_of_landmarks_is_told_where_one_was_asked_for() {
        let text = |landmarks: &[Landmark]| {
            let mut prediction = sample::prediction(true);
            prediction.set = Some(LandmarkSet { coverage: 0.95, landmarks: landmarks.to_vec() });
            card(&row("a.jpg", RowOutcome::Prediction(&prediction)), &CardOptions::default()).into_string()
        };
        let landmarks = sample::prediction(true).landmarks;
        assert!(text(&landmarks[..1]).contains("In 95.0% of cases only Eiffel Tower."));
        assert!(text(&landmarks[..2]).contains("In 95.0% of cases one of these: Eiffel Tower, "));
        assert!(!of(true, &CardOptions::default()).contains("% of cases"));
    }

    #[test]
    fn no_landmark_says_so_and_names_the_closest_without_a_map() {
        let text = of(false, &CardOptions { feedback: true, ..CardOptions::default() });
        assert!(text.contains("No landmark that I know") && text.contains("Eiffel Tower"), "{text}");
        assert!(!text.contains("<svg class=\"region\"") && !text.contains("data-x"), "{text}");
        assert!(text.contains("class=\"feedback\""), "{text}");
    }

    #[test]
    fn a_photo_that_cannot_be_read_says_why() {
        let error = "the file is empty".to_owned();
        let options = CardOptions { feedback: true, explains: true, ..CardOptions::default() };
        let text = card(&row("c.jpg", RowOutcome::Unreadable { error }), &options).into_string();
        assert!(text.contains("the file is empty") && text.contains("card unreadable"), "{text}");
        assert!(!text.contains("feedback") && !text.contains("Heat map"), "{text}");
    }

    #[test]
    fn a_card_carries_its_row_for_downloads() {
        let text = of(true, &CardOptions::default());
        assert!(text.contains("data-json=\"{&quot;photo&quot;:&quot;a&lt;b&gt;.jpg&quot;"), "{text}");
        assert!(text.contains("data-csv=\"a&lt;b&gt;.jpg,1,Eiffel_Tower,Eiffel Tower,0.75,true"), "{text}");
    }
}
