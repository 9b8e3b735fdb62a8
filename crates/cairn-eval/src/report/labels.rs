//! The page about labels that are likely wrong and photos that are odd.

use std::path::Path;

use cairn_dataset::escape::shown;
use cairn_photo::Photo;
use maud::{Markup, html};

use super::exhibits::data_uri;
use super::frame;
use crate::error::EvalError;
use crate::evaluation::percent;
use crate::whole_file::write_whole;

/// A photo whose label is in doubt, or that is like no others.
#[derive(Debug, Clone)]
pub struct DoubtfulPhoto {
    /// Some hundred pixels wide.
    pub photo: Photo,
    /// The photo's name.
    pub path: String,
    /// The class of its label.
    pub label: String,
    /// Why it is here.
    pub doubt: Doubt,
}

/// Why a photo is doubtful.
#[derive(Debug, Clone, PartialEq)]
pub enum Doubt {
    /// It likelier shows another class.
    Label {
        /// That class.
        suggested: String,
        /// How probable that is.
        probability: f64,
        /// How probable its label is.
        label_probability: f64,
    },
    /// It is like no other photo: its mean cosine to the nearest ones.
    Odd(f64),
}

/// What the page is about.
#[derive(Debug, Clone, Copy)]
pub struct LabelPage<'a> {
    /// The data set's folder.
    pub data: &'a str,
    /// The model by whose features the photos were compared.
    pub model: &'a str,
    /// How many photos were looked at.
    pub photos: usize,
    /// The share of photos whose label a classifier that did not learn from it gives, too.
    pub agreement: f64,
    /// The doubtful photos, in the order in which they are shown.
    pub doubtful: &'a [DoubtfulPhoto],
}

impl LabelPage<'_> {
    /// Writes the page, one file that needs nothing beside it.
    ///
    /// # Errors
    /// [`EvalError::Write`] when it cannot be written, [`EvalError::Draw`] when a photo cannot be put into it.
    pub fn write(&self, path: &Path) -> Result<(), EvalError> {
        write_whole(path, self.page()?.into_string().as_bytes())
    }

    fn page(&self) -> Result<Markup, EvalError> {
        let of = |wanted: fn(&Doubt) -> bool| {
            let cards = self.doubtful.iter().filter(move |photo| wanted(&photo.doubt)).map(card);
            cards.collect::<Result<Vec<Markup>, EvalError>>()
        };
        let labels = of(|doubt| matches!(doubt, Doubt::Label { .. }))?;
        let odd = of(|doubt| matches!(doubt, Doubt::Odd(_)))?;
        let content = html! {
            header {
                p.kind { "Landmark data set, labels" }
                h1 { (shown(self.data)) }
                dl.facts {
                    div { dt { "Photos" } dd { (self.photos) } }
                    div { dt { "Labels in doubt" } dd { (labels.len()) } }
                    div { dt { "Odd photos" } dd { (odd.len()) } }
                    div { dt { "Labels predicted" } dd { (percent(self.agreement)) } }
                    div { dt { "Features of" } dd { (shown(self.model)) } }
                }
            }
            (section(
                "Labels in doubt",
                "Photos that a classifier which did not learn from them takes for another class, the least probable \
                 label first.",
                &labels,
            ))
            (section("Odd photos", "Photos that are like no others of the data set, the oddest first.", &odd))
        };
        Ok(frame::page(&format!("Labels of {}", shown(self.data)), &content))
    }
}

fn section(title: &str, lead: &str, cards: &[Markup]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if cards.is_empty() {
                p.lead { "None." }
            } @else {
                p.lead { (lead) }
                div.exhibits { @for card in cards { (card) } }
            }
        }
    }
}

fn card(doubtful: &DoubtfulPhoto) -> Result<Markup, EvalError> {
    let DoubtfulPhoto { photo, path, label, doubt } = doubtful;
    Ok(html! {
        article.exhibit {
            div.photos { img src=(data_uri(path, photo)?) alt=(shown(path)); }
            @match doubt {
                Doubt::Label { suggested, probability, label_probability } => {
                    p.answer { "Shows " strong { (shown(suggested)) } "? " (percent(*probability)) }
                    p.truth { "labelled " (shown(label)) ", " (percent(*label_probability)) }
                }
                Doubt::Odd(likeness) => {
                    p.answer { strong { (shown(label)) } }
                    p.truth { "likeness to the nearest " (format!("{likeness:.2}")) }
                }
            }
            p.path { (shown(path)) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_both_kinds_of_doubt_and_escapes_what_it_shows() {
        let doubtful = |path: &str, doubt| DoubtfulPhoto {
            photo: Photo::filled(8, 6, [90, 120, 200]),
            path: path.to_owned(),
            label: "Taj <Mahal>".to_owned(),
            doubt,
        };
        let photos = [
            doubtful(
                "train/0/a&b.jpg",
                Doubt::Label { suggested: "Petra".to_owned(), probability: 0.875, label_probability: 0.02 },
            ),
            doubtful("train/1/odd.jpg", Doubt::Odd(0.125)),
        ];
        let page =
            LabelPage { data: "landmarks", model: "probe", photos: 10, agreement: 0.9, doubtful: &photos };
        let text = page.page().unwrap().into_string();
        for expected in [
            "Petra",
            "Taj &lt;Mahal&gt;",
            "a&amp;b.jpg",
            "likeness to the nearest 0.12",
            "data:image/jpeg;base64,",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
        assert!(!text.contains("<Mahal>"));
    }
}
