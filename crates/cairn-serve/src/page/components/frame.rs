//! What all pages have in common: head, header, footer, and what browsers may do with them.

use maud::{DOCTYPE, Markup, html};

use crate::page::assets::{Asset, ICON, STYLE};

/// What a page may load: its own style, script and pictures, and pictures that the script or the server made. Nothing
/// from other hosts, and nothing written into the markup.
pub(crate) const CONTENT_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page's surroundings.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// What the page is called, in the window and in histories.
    pub title: &'a str,
    /// The way from the page to the folder of all pages: empty, or `../`. Pages work below any prefix.
    pub root: &'a str,
    /// The page's script, if it has one.
    pub script: Option<&'a Asset>,
    /// Which of the pages it is, to mark its link.
    pub here: Here,
    /// Whether there is a page for photos.
    pub photos: bool,
    /// What stands in the footer, behind the program's version.
    pub footer: Markup,
}

/// One of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    /// Photos.
    Photos,
    /// How programs ask.
    Docs,
    /// A page of another verb, which has none of these beside it.
    #[cfg(feature = "review")]
    Elsewhere,
}

impl Frame<'_> {
    /// The page around what is in it.
    pub(crate) fn around(&self, content: &Markup) -> Markup {
        let root = self.root;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="theme-color" content="#f3f6f4" media="(prefers-color-scheme: light)";
                    meta name="theme-color" content="#0e1513" media="(prefers-color-scheme: dark)";
                    title { (self.title) }
                    link rel="icon" href={ (root) (ICON.path()) } type="image/svg+xml";
                    link rel="stylesheet" href={ (root) (STYLE.path()) };
                    @if let Some(script) = self.script { script src={ (root) (script.path()) } defer {} }
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header.top {
                        a.brand href={ (root) (if self.photos { "./" } else { "docs" }) } { (logo()) " cairn" }
                        @if self.photos && self.has_neighbours() {
                            nav aria-label="Pages" {
                                (self.link(Here::Photos, "./", "Photos"))
                                " "
                                (self.link(Here::Docs, "docs", "For programs"))
                            }
                        }
                    }
                    main id="content" { (content) }
                    footer { p { "cairn " (env!("CARGO_PKG_VERSION")) } (self.footer) }
                }
            }
        }
    }

    #[cfg(feature = "review")]
    fn has_neighbours(&self) -> bool {
        self.here != Here::Elsewhere
    }

    #[cfg(not(feature = "review"))]
    fn has_neighbours(&self) -> bool {
        true
    }

    fn link(&self, page: Here, address: &str, text: &str) -> Markup {
        let current = (self.here == page).then_some("page");
        html! { a href={ (self.root) (address) } aria-current=[current] { (text) } }
    }
}

/// Three stones on each other, in the colours of the page.
fn logo() -> Markup {
    html! {
        svg.logo viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            ellipse cx="16" cy="25" rx="13" ry="5" {}
            ellipse cx="17" cy="16" rx="9.5" ry="4.2" {}
            ellipse cx="15" cy="8.6" rx="6" ry="3.4" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_relative_so_that_a_prefix_does_no_harm() {
        for root in ["", "../"] {
            let frame = Frame {
                title: "a & b",
                root,
                script: Some(&ICON),
                here: Here::Docs,
                photos: true,
                footer: html! {},
            };
            let text = frame.around(&html! { p { "content" } }).into_string();
            for (attribute, rest) in
                ["href=\"", "src=\""].iter().flat_map(|a| text.split(a).skip(1).map(move |r| (a, r)))
            {
                let address = rest.split('"').next().unwrap_or_default();
                let relative = !address.starts_with('/') && !address.contains("://");
                assert!(relative, "{attribute}{address}");
            }
            assert!(text.contains("<title>a &amp; b</title>") && !text.contains("style="), "{text}");
            assert!(text.contains(&format!("href=\"{root}docs\" aria-current=\"page\"")), "{text}");
        }
    }
}
