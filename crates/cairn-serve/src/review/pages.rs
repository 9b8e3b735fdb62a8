//! The pages of a review: all landmarks, the photos of one, a photo by itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_library::review::{ReviewGroup, ReviewPhoto};
use cairn_library::state::{Decision, Verdict};
use cairn_places::Place;
use maud::{Markup, html};

use super::desk::Desk;
use super::form::Part;
use crate::page::assets::REVIEW_SCRIPT;
use crate::page::components::bars::share_bar;
use crate::page::components::frame::{Frame, Here};
use crate::page::components::map;

/// Photos of a page.
const PAGE: usize = 48;

/// All landmarks, the least certain first.
pub(super) fn overview(desk: &Desk<'_>) -> Markup {
    let groups = desk.groups();
    let undecided: usize = groups.iter().map(ReviewGroup::undecided).sum();
    let marks = html! {
        @for (index, group) in groups.iter().enumerate() {
            @if let Some(place) = desk.place(&group.landmark) {
                (map::mark(place, &format!("group-{index}"), &photos(group.photos.len())))
            }
        }
    };
    let content = html! {
        (map::land())
        section.hero {
            div.words {
                h1 { "Is this right?" }
                p.lead {
                    @if groups.is_empty() { "No landmark was found in this library that could be decided about." }
                    @else if undecided == 0 { "Everything is decided." }
                    @else {
                        (photos(undecided)) " of " (groups.iter().filter(|group| group.undecided() > 0).count())
                        " landmarks wait for your word. The least certain come first."
                    }
                }
                @let precision = &desk.review.precision;
                @if precision.photos > 0 {
                    p.promise {
                        "Of " (photos(precision.photos)) " with a position of their own, " (precision.in_sight)
                        " stand within sight of the landmark that the model is sure of."
                    }
                }
                p.promise {
                    "Each decision is stored at once and changes no photo: " code { "cairn library plan" } " makes marks of them."
                }
            }
            (map::world([], &marks))
        }
        (last_step(desk, 0, Part::default(), "decide"))
        section #groups aria-label="Landmarks" {
            @for (index, group) in groups.iter().enumerate() { (group_card(desk, index, group)) }
        }
    };
    framed(&format!("{} – review – cairn", desk.library()), "", &content, desk)
}

fn group_card(desk: &Desk<'_>, index: usize, group: &ReviewGroup) -> Markup {
    let first = group.photos.iter().position(|photo| photo.decision.is_none()).unwrap_or(0);
    html! {
        article.card id={ "group-" (index) } {
            a.frame href={ "groups/" (index) } tabindex="-1" aria-hidden="true" {
                img.photo src={ "groups/" (index) "/photos/" (first) "/small.jpg" } alt="" loading="lazy";
            }
            div.said {
                h2 { a href={ "groups/" (index) } { (group.landmark) } }
                @if let Some(place) = desk.place(&group.landmark) { p.where { (place.locality) ", " (place.country) } }
                p.counts { (counts(group)) }
                @if group.never_here { p.note { "Never marked in this library." } }
            }
        }
    }
}

/// The photos of a landmark; `None` where there is no such group.
pub(super) fn group(desk: &Desk<'_>, index: usize, part: Part) -> Option<Markup> {
    let group = desk.groups().get(index)?;
    let shown: Vec<usize> =
        (0..group.photos.len()).filter(|&at| part.all || group.photos[at].decision.is_none()).collect();
    let pages = shown.len().div_ceil(PAGE).max(1);
    // The last page may have become empty by what was decided.
    let part = Part { page: part.page.min(pages - 1), ..part };
    let on_page: Vec<usize> = shown.into_iter().skip(part.page * PAGE).take(PAGE).collect();
    let content = html! {
        (map::land())
        (way(desk, index))
        section.about {
            div {
                h1 { (group.landmark) }
                @if let Some(place) = desk.place(&group.landmark) { p.where { (place.locality) ", " (place.country) } }
                p.counts { (counts(group)) }
                (keys())
                (never_here(index, group, part))
            }
            @if let Some(place) = desk.place(&group.landmark) { (map::region(place, None)) }
        }
        (last_step(desk, index, part, "../decide"))
        nav.parts aria-label="Which photos" {
            (part_link("To decide", Part::default(), !part.all))
            " "
            (part_link("All", Part { all: true, page: 0 }, part.all))
        }
        @if on_page.is_empty() {
            p.lead { "No photo of this landmark waits for your word." }
        } @else {
            (sheet(desk, index, group, part, &on_page))
        }
        (turn_pages(part, pages))
    };
    Some(framed(&format!("{} – review – cairn", group.landmark), "../", &content, desk))
}

/// Links to the landmarks before and after, and to all.
fn way(desk: &Desk<'_>, index: usize) -> Markup {
    let name = |index: usize| desk.groups().get(index).map(|group| group.landmark.as_str());
    html! {
        nav.way aria-label="Landmarks" {
            a href="../" { "All landmarks" }
            " "
            @if let Some((before, name)) = index.checked_sub(1).and_then(|at| Some((at, name(at)?))) {
                a href=(before) rel="prev" { "← " (name) }
                " "
            }
            @if let Some(name) = name(index + 1) { a href=(index + 1) rel="next" { (name) " →" } }
        }
    }
}

fn keys() -> Markup {
    html! {
        details #keys {
            summary { "Keys" }
            dl {
                @for (key, what) in [
                    ("← ↑ → ↓", "go from photo to photo"),
                    ("y", "yes, this photo shows it"),
                    ("n", "no, it does not"),
                    ("x", "never mark this photo"),
                    ("Space", "select"),
                    ("Y, N", "yes or no to all that are selected"),
                    ("o", "look at it large"),
                    ("u", "take the last decision back"),
                    ("g, G", "next landmark, landmark before"),
                ] {
                    div { dt { kbd { (key) } } dd { (what) } }
                }
            }
            p { "They work once a photo has the focus: click one, or go there by Tab." }
        }
    }
}

/// What is asked once more before it is done.
fn never_here(index: usize, group: &ReviewGroup, part: Part) -> Markup {
    html! {
        form.here action="../decide" method="post" data-review {
            (fields(index, part))
            @if group.never_here {
                p { (group.landmark) " is never marked in this library. " }
                button type="submit" name="do" value="allow-here" { "Allow it again" }
            } @else {
                details {
                    summary { "Never mark it in this library …" }
                    p { "No photo here is marked with " (group.landmark) " any more, but those that you confirm one by one." }
                    button type="submit" name="do" value="never-here" { "Never mark " (group.landmark) " here" }
                }
            }
        }
    }
}

fn part_link(text: &str, part: Part, current: bool) -> Markup {
    let query = part.query();
    let href = if query.is_empty() { "?".to_owned() } else { query };
    html! { a href=(href) aria-current=[current.then_some("true")] { (text) } }
}

fn turn_pages(part: Part, pages: usize) -> Markup {
    let page = |page: usize| Part { page, ..part };
    html! {
        @if pages > 1 {
            nav.parts aria-label="Pages of photos" {
                @if part.page > 0 { (part_link("← Photos before", page(part.page - 1), false)) " " }
                span { "Page " (part.page + 1) " of " (pages) }
                @if part.page + 1 < pages { " " (part_link("More photos →", page(part.page + 1), false)) }
            }
        }
    }
}

/// A form with a card for each photo.
fn sheet(desk: &Desk<'_>, index: usize, group: &ReviewGroup, part: Part, on_page: &[usize]) -> Markup {
    let undecided = group.undecided();
    html! {
        form #sheet action="../decide" method="post" data-review {
            // Enter in a field presses a form's first button that is not disabled.
            button type="submit" name="do" value="nothing" hidden {}
            (fields(index, part))
            div.bulk role="group" aria-label="Many photos at once" {
                span { "Selected:" }
                @for (word, text) in [("confirm", "Yes"), ("reject", "No"), ("never", "Never mark")] {
                    button type="submit" name="do" value=(word) { (text) }
                }
                @if undecided > 0 {
                    span.all { "All " (undecided) " to decide:" }
                    button type="submit" name="do" value="confirm-undecided" { "Yes" }
                    button type="submit" name="do" value="reject-undecided" { "No" }
                }
            }
            div.sheet {
                @for &at in on_page { (photo_card(desk, index, group, at)) }
            }
        }
    }
}

/// What a form needs to lead back to where it was.
fn fields(group: usize, part: Part) -> Markup {
    html! {
        input type="hidden" name="group" value=(group);
        @if part.all { input type="hidden" name="show" value="all"; }
        @if part.page > 0 { input type="hidden" name="page" value=(part.page); }
    }
}

fn photo_card(desk: &Desk<'_>, index: usize, group: &ReviewGroup, at: usize) -> Markup {
    let photo = &group.photos[at];
    let name = name(photo);
    let (address, title) = (format!("{index}/photos/{at}"), format!("photo-{at}-name"));
    html! {
        article.card.(class(photo)) id={ "photo-" (at) } tabindex="-1" aria-labelledby=(title) {
            figure {
                a.frame href=(address) aria-label={ "Look at " (name) " large" } {
                    img.photo src={ (address) "/small.jpg" } alt={ "Photo " (name) } loading="lazy";
                }
                figcaption id=(title) { (name) }
            }
            div.said {
                (facts(desk, photo))
                label.select { input type="checkbox" name="photo" value=(at); " Select" }
                (buttons(photo, group, Some(at)))
            }
        }
    }
}

fn class(photo: &ReviewPhoto) -> &'static str {
    match photo.decision {
        None => "undecided",
        Some(Decision::Confirm) => "confirmed",
        Some(Decision::Reject) => "rejected",
        Some(Decision::Never) => "never",
    }
}

fn name(photo: &ReviewPhoto) -> String {
    cairn_photo::path_text(&photo.path)
}

/// How sure the model is, when, what the trip says, what was decided.
fn facts(desk: &Desk<'_>, photo: &ReviewPhoto) -> Markup {
    let said = match photo.verdict {
        Verdict::Unknown => None,
        Verdict::Supported => Some("The trip was there at that time."),
        Verdict::Possible => Some("The trip may have been there."),
        Verdict::Impossible => Some("Impossible: nothing travels so fast from the photos before and after."),
        Verdict::InSight => Some("Its own position is within sight."),
        Verdict::Conflict => Some("Its own position is out of sight."),
    };
    let speaks_against =
        photo.is_conflict || matches!(photo.verdict, Verdict::Impossible | Verdict::Conflict);
    let is_gone = !desk.path(photo).exists();
    html! {
        p.sure { (share_bar(photo.probability)) span.percent { (format!("{:.1}%", photo.probability * 100.0)) } }
        @if let Some(taken) = photo.taken.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            p.where { time { (taken.strftime("%Y-%m-%d %H:%M")) } }
        }
        @if let Some(said) = said { p.note.contradiction[speaks_against] { (said) } }
        @if is_gone { p.reason { "The file is no longer there, or its disk is not mounted." } }
        @if let Some(decision) = photo.decision {
            p.decided {
                @match decision {
                    Decision::Confirm => "✓ You said yes.",
                    Decision::Reject => "✗ You said no.",
                    Decision::Never => "⊘ Never marked.",
                }
            }
        }
    }
}

/// Yes, no, never. The photo's place stands in the button, or in a field of the form.
fn buttons(photo: &ReviewPhoto, group: &ReviewGroup, at: Option<usize>) -> Markup {
    let name = name(photo);
    let value = |word: &str| at.map_or_else(|| word.to_owned(), |at| format!("{word}-{at}"));
    let pressed = |decision| photo.decision == Some(decision);
    html! {
        div.choices {
            button.yes type="submit" name="do" value=(value("confirm")) disabled[pressed(Decision::Confirm)]
                aria-label={ "Yes, " (name) " shows " (group.landmark) } { "Yes" }
            button.no type="submit" name="do" value=(value("reject")) disabled[pressed(Decision::Reject)]
                aria-label={ "No, " (name) " does not show " (group.landmark) } { "No" }
            button.never type="submit" name="do" value=(value("never")) disabled[pressed(Decision::Never)]
                aria-label={ "Never mark " (name) } { "Never" }
        }
    }
}

/// A photo by itself, or why it cannot be read; `None` where there is no such photo.
pub(super) fn photo(
    desk: &Desk<'_>,
    index: usize,
    at: usize,
    picture: &Result<Vec<u8>, String>,
) -> Option<Markup> {
    let group = desk.groups().get(index)?;
    let photo = group.photos.get(at)?;
    let name = name(photo);
    let content = html! {
        nav.way aria-label="Photos" {
            a href={ "../../" (index) "#photo-" (at) } rel="up" { "All photos of " (group.landmark) }
            " "
            @if let Some(before) = at.checked_sub(1) { a href=(before) rel="prev" { "← Photo before" } " " }
            @if at + 1 < group.photos.len() { a href=(at + 1) rel="next" { "Next photo →" } }
        }
        h1 { "Is this " (desk.place(&group.landmark).map_or_else(|| group.landmark.clone(), Place::with_article)) "?" }
        (last_step(desk, index, Part::default(), "../../../decide"))
        article.card.alone.(class(photo)) id={ "photo-" (at) } tabindex="-1" aria-labelledby="photo-name" {
            figure {
                @match picture {
                    Ok(jpeg) => {
                        img src={ "data:image/jpeg;base64," (STANDARD.encode(jpeg)) } alt={ "Photo " (name) };
                    }
                    Err(reason) => p.reason { "This photo cannot be read: " (reason) },
                }
                figcaption #photo-name { (name) }
            }
            form.said action="../../../decide" method="post" data-review {
                (fields(index, Part::default()))
                input type="hidden" name="photo" value=(at);
                input type="hidden" name="alone" value="1";
                (facts(desk, photo))
                (buttons(photo, group, None))
            }
        }
    };
    Some(framed(&format!("{name} – {} – review – cairn", group.landmark), "../../../", &content, desk))
}

/// What was decided last, with a button that takes it back.
fn last_step(desk: &Desk<'_>, index: usize, part: Part, action: &str) -> Markup {
    let Some(step) = desk.review.steps().last() else { return html! { div.step role="status" {} } };
    let landmark = desk.groups().get(step.group).map_or("", |group| group.landmark.as_str());
    let count = photos(step.photos.len());
    let text = match (step.photos.is_empty(), step.decision) {
        (true, Some(_)) => format!("{landmark} is never marked in this library."),
        (true, None) => format!("{landmark} may be marked in this library again."),
        (_, Some(Decision::Confirm)) => format!("Yes to {count}: {landmark}."),
        (_, Some(Decision::Reject)) => format!("No to {count}: not {landmark}."),
        (_, Some(Decision::Never)) => format!("{count} never marked."),
        // Photos are never allowed again as such.
        (_, None) => String::new(),
    };
    html! {
        div.step {
            p role="status" { (text) }
            form.undo action=(action) method="post" data-review {
                (fields(index, part))
                button type="submit" name="do" value="take-back" { "Take it back" }
            }
        }
    }
}

fn counts(group: &ReviewGroup) -> String {
    let of = |wanted: Option<Decision>| group.photos.iter().filter(|photo| photo.decision == wanted).count();
    let mut parts = vec![format!("{} to decide", of(None))];
    for (decision, word) in [(Decision::Confirm, "yes"), (Decision::Reject, "no"), (Decision::Never, "never")]
    {
        let count = of(Some(decision));
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.join(", ")
}

fn photos(count: usize) -> String {
    if count == 1 { "1 photo".to_owned() } else { format!("{count} photos") }
}

fn framed(title: &str, root: &str, content: &Markup, desk: &Desk<'_>) -> Markup {
    let footer = html! {
        p { "Review of " b { (desk.library()) } }
        p { "Map: Natural Earth" }
    };
    Frame { title, root, script: Some(&REVIEW_SCRIPT), here: Here::Elsewhere, photos: true, footer }
        .around(content)
}
