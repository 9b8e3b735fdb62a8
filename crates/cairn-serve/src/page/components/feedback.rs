//! Where a person says whether an answer is right.

use maud::{Markup, html};

/// Names that the page knows, for fields that take a name.
pub(crate) fn known_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Markup {
    html! { datalist id="names" { @for name in names { option value=(name) {} } } }
}

/// "Right", or "wrong, it is ...". `answer` is the class that the photo was taken for, if it was taken for one. Works by
/// the page's script alone: only the browser still has the photo.
pub(crate) fn feedback(answer: Option<&str>, card: &str) -> Markup {
    let field = format!("{card}-name");
    html! {
        form.feedback data-answer=[answer] hidden {
            p.question { "Is this right?" }
            div.choices {
                button.right type="button" { "Right" }
                button.wrong type="button" aria-expanded="false" { "Wrong, it is …" }
            }
            div.correction hidden {
                label for=(field) { "Name of the landmark" }
                div.choices {
                    input id=(field) list="names" maxlength="200" autocomplete="off" enterkeyhint="done";
                    button.named type="submit" { "Keep" }
                }
                @if answer.is_some() { button.none type="button" { "It shows no landmark" } }
            }
            p.outcome role="status" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_photo_that_was_given_a_landmark_can_be_said_to_show_none() {
        assert!(feedback(Some("12.Eiffel_Tower"), "photo-1").into_string().contains("shows no landmark"));
        assert!(!feedback(None, "photo-1").into_string().contains("shows no landmark"));
    }
}
