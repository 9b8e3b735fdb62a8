//! The page.

use cairn_dataset::path_text;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::map::{Dot, anchor, map};
use super::thumbnail::data_uri;
use crate::evidence::Basis;
use crate::export::{Export, ExportRow};
use crate::state::Verdict;

/// How much the report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportOptions {
    /// Photos of each landmark, and of each list, that have a thumbnail.
    pub thumbnails: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { thumbnails: 24 }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2429; --dim: #66727c; --paper: #fbfaf7; --card: #ffffff; --line: #e3e0d8;
  --sea: #dfe9ef; --land: #f4f0e4; --grid: #cfdbe3; --mark: #b4472e; --good: #2f7a4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e0; --dim: #9aa4ab; --paper: #15191c; --card: #1e2428; --line: #30383d;
  --sea: #1b2830; --land: #2c3634; --grid: #26353f; --mark: #e58a6b; --good: #76c396; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p.dim, .dim { color: var(--dim); } a { color: inherit; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem 1rem; min-width: 9rem; }
.figure b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.map { width: 100%; height: auto; border: 1px solid var(--line); border-radius: 10px; display: block; }
.sea { fill: var(--sea); } .land { fill: var(--land); stroke: var(--grid); stroke-width: 2.5; } .grid { stroke: var(--grid); stroke-width: 3; fill: none; }
.dot { fill: var(--mark); fill-opacity: .75; stroke: var(--card); stroke-width: 4; } a:hover .dot { fill-opacity: 1; }
nav { columns: 3 15rem; font-size: .93rem; margin: 1rem 0; } nav div { break-inside: avoid; display: flex; justify-content: space-between; gap: 1rem; }
nav span { color: var(--dim); font-variant-numeric: tabular-nums; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: .75rem; margin: .75rem 0; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
figure img, .missing { width: 100%; aspect-ratio: 4 / 3; object-fit: cover; display: block; background: var(--line); }
figcaption { padding: .4rem .55rem .5rem; font-size: .78rem; line-height: 1.35; overflow-wrap: anywhere; }
.by-you { color: var(--good); }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--dim); }
details ul { font-size: .85rem; overflow-wrap: anywhere; }
";

pub(super) fn page(export: &Export<'_>, options: &ReportOptions) -> Markup {
    let by_landmark = export.by_landmark();
    let marked = export.marked().count();
    let confirmed = export.marked().filter(|row| row.marked == Some(Basis::Confirmed)).count();
    let conflicts = rows(export, |row| row.assessed.is_conflict());
    let impossible = rows(export, |row| row.assessed.context.verdict == Verdict::Impossible);
    let mut unsure = rows(export, |row| row.marked.is_none() && row.assessed.probability > 0.0);
    unsure.sort_by(|one, other| other.assessed.probability.total_cmp(&one.assessed.probability));
    let name = export.library.root.file_name().map_or_else(|| path_text(&export.library.root), path_text);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Landmarks in " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Landmarks in " (name) }
                p.dim { (path_text(&export.library.root)) }
                div.figures {
                    (figure(marked.to_string(), "photos marked"))
                    (figure(by_landmark.len().to_string(), "landmarks"))
                    (figure(format!("{:.1}", export.expected_wrong), "wrong marks expected"))
                    (figure(confirmed.to_string(), "confirmed by you"))
                    (figure(unsure.len().to_string(), "not sure enough"))
                }
                (map(&dots(&by_landmark)))
                nav {
                    @for (landmark, photos) in &by_landmark {
                        div { a href=(format!("#{}", anchor(landmark))) { (landmark) } span { (photos.len()) } }
                    }
                }
                @for (landmark, photos) in &by_landmark {
                    h2 id=(anchor(landmark)) { (landmark) " " span.dim { (photos.len()) } }
                    @if let Some(place) = photos.iter().find_map(|row| row.place.as_ref()) {
                        p.dim { (place.locality) ", " (place.country) " (" (place.latitude) ", " (place.longitude) ")" }
                    }
                    (sheet(export, photos, options, marked_caption))
                }
                (list(export, "Far from what they show", "The position in these photos is out of sight of the landmark that they \
                    seem to show: a wrong position, a replica, or a picture of a picture. They are not marked.",
                    &conflicts, options, distance_caption))
                (list(export, "Not possible", "Nobody travels so fast between these photos and their neighbours in time. They are \
                    not marked unless you confirm them.", &impossible, options, distance_caption))
                (list(export, "Not sure enough", "Likelier right than others, and still not sure enough to be marked without \
                    you.", &unsure, options, unsure_caption))
            }
        }
    }
}

fn rows<'a, 'b>(export: &'b Export<'a>, wanted: impl Fn(&ExportRow<'a>) -> bool) -> Vec<&'b ExportRow<'a>> {
    export.rows.iter().filter(|row| wanted(row)).collect()
}

fn figure(number: String, what: &str) -> Markup {
    html! { div.figure { b { (number) } span.dim { (what) } } }
}

fn dots(by_landmark: &[(&str, Vec<&ExportRow<'_>>)]) -> Vec<Dot> {
    let dot = |(landmark, photos): &(&str, Vec<&ExportRow<'_>>)| {
        let place = photos.iter().find_map(|row| row.place.as_ref())?;
        Some(Dot {
            latitude: place.latitude.degrees(),
            longitude: place.longitude.degrees(),
            name: (*landmark).to_owned(),
            photos: photos.len(),
        })
    };
    let mut dots: Vec<Dot> = by_landmark.iter().filter_map(dot).collect();
    // Small dots above large ones.
    dots.sort_by_key(|dot| std::cmp::Reverse(dot.photos));
    dots
}

fn list(
    export: &Export<'_>,
    title: &str,
    what: &str,
    photos: &[&ExportRow<'_>],
    options: &ReportOptions,
    caption: impl Fn(&ExportRow<'_>) -> Markup,
) -> Markup {
    html! {
        @if !photos.is_empty() {
            h2 { (title) " " span.dim { (photos.len()) } }
            p.dim { (what) }
            (sheet(export, photos, options, caption))
        }
    }
}

/// A contact sheet; the paths of photos that have no room on it follow.
fn sheet(
    export: &Export<'_>,
    photos: &[&ExportRow<'_>],
    options: &ReportOptions,
    caption: impl Fn(&ExportRow<'_>) -> Markup,
) -> Markup {
    let (shown, more) = photos.split_at(photos.len().min(options.thumbnails));
    html! {
        div.sheet {
            @for row in shown {
                figure {
                    @match data_uri(&export.library.root.join(&row.path)) {
                        Some(uri) => img src=(uri) alt=(row.assessed.landmark) loading="lazy";,
                        None => div.missing {},
                    }
                    figcaption { (caption(row)) div.dim { (path_text(&row.path)) } }
                }
            }
        }
        @if !more.is_empty() {
            details {
                summary { (more.len()) " more" }
                ul { @for row in more { li { (path_text(&row.path)) } } }
            }
        }
    }
}

fn day(row: &ExportRow<'_>) -> Markup {
    html! { @if let Some(taken) = row.taken() { (taken.split('T').next().unwrap_or_default()) } }
}

fn marked_caption(row: &ExportRow<'_>) -> Markup {
    html! {
        div {
            @if row.marked == Some(Basis::Confirmed) { span.by-you { "confirmed by you" } }
            @else { (format!("{:.1} %", row.assessed.probability * 100.0)) }
            " " span.dim { (day(row)) }
        }
        @if row.assessed.context.verdict == Verdict::InSight { div.dim { "taken within sight" } }
        @if row.assessed.context.verdict == Verdict::Supported { div.dim { "taken on a trip there" } }
    }
}

fn distance_caption(row: &ExportRow<'_>) -> Markup {
    html! {
        div { (row.assessed.landmark) }
        @if let Some(km) = row.assessed.context.distance_km { div.dim { (format!("{km:.0} km away ")) (day(row)) } }
    }
}

fn unsure_caption(row: &ExportRow<'_>) -> Markup {
    html! { div { (row.assessed.landmark) " " (format!("{:.0} %", row.assessed.probability * 100.0)) } }
}
