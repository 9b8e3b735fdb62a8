//! Pictures in the page.

use crate::error::EvalError;
use crate::picture::{Breadth, Picture};
use maud::{Markup, PreEscaped, html};

/// A picture in the page, whose style recolours it.
pub(super) fn figure(picture: &impl Picture) -> Result<Markup, EvalError> {
    figure_of_class(picture, "picture")
}

fn figure_of_class(picture: &impl Picture, class: &str) -> Result<Markup, EvalError> {
    let svg = picture.svg()?;
    let width = picture.size().width;
    Ok(html! {
        figure class=(class) role="img" aria-label=(picture.title()) style={ "--width:" (width) "px" } { (PreEscaped(svg)) }
    })
}

/// A picture drawn for wide windows and again for narrow ones, of which the style shows the one that fits: text that is
/// drawn once and shrunk to a phone's width cannot be read.
pub(super) fn responsive<P: Picture>(picture: impl Fn(Breadth) -> P) -> Result<Markup, EvalError> {
    Ok(html! {
        (figure_of_class(&picture(Breadth::Wide), "picture on-wide")?)
        (figure_of_class(&picture(Breadth::Narrow), "picture on-narrow")?)
    })
}
