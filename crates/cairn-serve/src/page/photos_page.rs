//! The page that takes photos and shows what is in them.

use cairn_model::rows::Row;
use cairn_places::Place;
use maud::{Markup, html};

use super::assets::SCRIPT;
use super::components::downloads;
use super::components::feedback::known_names;
use super::components::frame::{Frame, Here};
use super::components::map;
use crate::ServedModel;

/// Name endings of photos that browsers do not count as pictures.
const MORE_ENDINGS: &str = ".heic,.heif,.hif,.avif,.tif,.tiff,.cr2,.cr3,.nef,.arw,.dng,.raf,.orf,.rw2";

/// What the page offers, by how the server was started.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    /// Whether requests need a key.
    pub needs_key: bool,
    /// The key that the page was asked for with.
    pub key: Option<String>,
    /// Whether corrections are taken and kept.
    pub feedback: bool,
    /// At most so many photos in a form without the script.
    pub most_photos: usize,
}

/// Photos that were sent by a form, and what is said of them.
pub(super) struct Answers<'a> {
    /// A row for each.
    pub rows: Vec<Row<'a>>,
    /// Their cards.
    pub cards: Markup,
    /// Their marks on the map of the world.
    pub marks: Markup,
}

/// The page: empty, with answers, or with what is wrong with the request.
pub(super) fn photos_page(
    served: &ServedModel,
    offer: &Offer,
    answers: Result<Option<Answers<'_>>, &str>,
) -> Markup {
    let known = known(served);
    let places: Vec<&Place> = known.iter().filter_map(|landmark| landmark.place).collect();
    let nothing = html! {};
    let (rows, cards, marks): (&[Row<'_>], _, _) = match &answers {
        Ok(Some(answers)) => (&answers.rows, &answers.cards, &answers.marks),
        _ => (&[], &nothing, &nothing),
    };
    let content = html! {
        (map::land())
        section.hero {
            div.words {
                h1 { "Which landmark is this?" }
                p.lead { "Drop photos here. Each gets its landmark, the place on the map, and how sure the model is." }
                @if offer.needs_key { (key_form(offer)) }
                (photo_form(offer))
                p.promise {
                    "Photos go to this server and nowhere else. "
                    @if offer.feedback { "It keeps only those that you mark as right or wrong, to learn from them." }
                    @else { "It does not keep them." }
                }
            }
            (map::world(places, marks))
        }
        @if let Err(error) = &answers { p.refused role="alert" { (error) } }
        (results(rows, cards))
        (known_list(&known))
        @if offer.feedback { (known_names(known.iter().map(|landmark| landmark.name.as_str()))) }
        div #drop-hint aria-hidden="true" { p { "Drop the photos" } }
    };
    let title = match rows.len() {
        0 => "cairn: which landmark is this?".to_owned(),
        1 => "1 photo – cairn".to_owned(),
        count => format!("{count} photos – cairn"),
    };
    let footer = html! {
        p { "Model " b { (served.identity.name) } ", " (served.model.info().network.architecture) }
        p { "Map: Natural Earth" }
    };
    Frame { title: &title, root: "", script: Some(&SCRIPT), here: Here::Photos, photos: true, footer }
        .around(&content)
}

/// Asks for the key. Without the script it comes into the address of the page, and from there into the form's.
fn key_form(offer: &Offer) -> Markup {
    html! {
        form #key-form action="./" method="get" {
            label for="key" { "This server asks for a key" }
            div.choices {
                input #key type="password" name="key" required autocomplete="current-password" value=[&offer.key]
                    aria-describedby="key-outcome";
                button type="submit" { "Use it" }
            }
            p #key-outcome role="status" {}
        }
    }
}

fn photo_form(offer: &Offer) -> Markup {
    let accept = format!("image/*,{MORE_ENDINGS}");
    let query = offer.key.as_ref().map(|key| format!("?key={}", escaped(key))).unwrap_or_default();
    html! {
        form #photos action={ "photos" (query) } method="post" enctype="multipart/form-data"
            data-feedback[offer.feedback] {
            div.choices {
                label.button.choose {
                    span { "Choose photos" }
                    input #choose type="file" name="photo" accept=(accept) multiple required;
                }
                label.button.camera {
                    span { "Take a photo" }
                    input #camera type="file" accept="image/*" capture="environment";
                }
                span.or { "or paste one" }
            }
            div.plain {
                label { input type="checkbox" name="explain"; " with heat maps (slower)" }
                button type="submit" { "Name the landmarks" }
                p.hint { "At most " (offer.most_photos) @if offer.most_photos == 1 { " photo" } @else { " photos" } " at once." }
            }
        }
    }
}

/// The key as it stands in a query.
fn escaped(key: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    key.bytes().map(escape).collect()
}

/// Cards, and above them how far it is and how to save them.
fn results(rows: &[Row<'_>], cards: &Markup) -> Markup {
    let found = rows.iter().filter(|row| row.landmark().is_some()).count();
    html! {
        section #results aria-labelledby="progress" hidden[rows.is_empty()] {
            div.bar-of-tools {
                h2 #progress {
                    @if !rows.is_empty() { (found) " of " (rows.len()) " show a landmark that I know" }
                }
                div.saves data-csv=(downloads::csv_first_line()) {
                    span.save-as { "Save all as " }
                    @if rows.is_empty() {
                        @for (name, ending) in [("CSV", "csv"), ("JSON", "json"), ("GeoJSON", "geojson")] {
                            button type="button" data-save=(ending) { (name) }
                            " "
                        }
                    } @else { (downloads::links(rows)) }
                    button.clear type="button" hidden { "Clear" }
                }
            }
            p #said .unseen role="log" aria-live="polite" {}
            div #cards { (cards) }
        }
    }
}

/// A landmark that the model knows.
struct Known<'a> {
    name: String,
    place: Option<&'a Place>,
}

/// All landmarks that the model knows, by name.
fn known(served: &ServedModel) -> Vec<Known<'_>> {
    let model = &served.model;
    let classes = model.classes();
    let mut known: Vec<Known<'_>> = classes
        .iter()
        .map(|(_, class)| {
            let (name, place) = (model.landmark_name(class), model.places().find(&class.folder));
            Known { name: name.to_owned(), place }
        })
        .collect();
    known.sort_by_key(|landmark| landmark.name.to_lowercase());
    known
}

fn known_list(known: &[Known<'_>]) -> Markup {
    html! {
        details.known-list {
            summary { "The " (known.len()) " landmarks that I know" }
            ul {
                @for landmark in known {
                    li {
                        (landmark.name)
                        @if let Some(place) = landmark.place { " " span.where { (place.locality) ", " (place.country) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_escaped_in_the_forms_address() {
        assert_eq!(escaped("a b&c=d\"é~"), "a%20b%26c%3Dd%22%C3%A9~");
        let offer = Offer { key: Some("a&b".to_owned()), needs_key: true, ..Offer::default() };
        assert!(photo_form(&offer).into_string().contains("action=\"photos?key=a%26b\""));
    }
}
