//! How the terminal takes pictures.

/// A way to draw pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>
    Kitty,
    /// <https://iterm2.com/documentation-images.html>
    Iterm,
    /// DEC's graphics of six rows of pixels (<https://vt100.net/docs/vt3xx-gp/chapter14.html>).
    Sixel,
    /// Half blocks in 24-bit colours.
    TrueColor,
    /// Half blocks in the 240 colours that every terminal of 256 colours has alike.
    Palette,
}

/// The answer of a terminal that was asked what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether it draws sixels.
    pub sixel: bool,
    /// Width and height of a cell in pixels.
    pub cell: Option<(u16, u16)>,
}

impl Protocol {
    /// The protocol of the terminal that the environment describes, and what a cell measures where it had to be asked.
    ///
    /// Kitty's and iTerm's graphics are known by the terminals' names: asking for them would leave garbage on screens that
    /// know neither. Sixels are asked for by a question (primary device attributes) that terminals answer since the VT100,
    /// only where the terminal is no other, and with a deadline for those that stay silent.
    pub(super) fn detect(variable: impl Fn(&str) -> Option<String>) -> (Self, Option<(u16, u16)>) {
        if let Some(named) = Self::named(&variable) {
            return (named, None);
        }
        let answer = if may_be_asked(&variable) { ask(&variable) } else { Answer::default() };
        (if answer.sixel { Self::Sixel } else { Self::blocks(&variable) }, answer.cell)
    }

    /// That of a terminal that gives its name.
    fn named(variable: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        // A multiplexer passes on the variables of the terminal around it, and not its protocols.
        if is_multiplexer(variable) {
            return None;
        }
        let has = |name: &str, words: &[&str]| {
            variable(name).is_some_and(|value| {
                let value = value.to_lowercase();
                words.iter().any(|word| value.contains(word))
            })
        };
        if variable("KITTY_WINDOW_ID").is_some()
            || has("TERM", &["kitty", "ghostty"])
            || has("TERM_PROGRAM", &["ghostty"])
        {
            Some(Self::Kitty)
        } else if has("TERM_PROGRAM", &["iterm", "wezterm", "mintty", "rio", "warpterminal"])
            || has("LC_TERMINAL", &["iterm", "wezterm", "mintty", "rio"])
            || variable("KONSOLE_VERSION").is_some()
        {
            Some(Self::Iterm)
        } else {
            None
        }
    }

    fn blocks(variable: &impl Fn(&str) -> Option<String>) -> Self {
        match variable("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::TrueColor,
            _ => Self::Palette,
        }
    }
}

fn is_multiplexer(variable: &impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    variable("TMUX").is_some()
        || variable("STY").is_some()
        || variable("ZELLIJ").is_some()
        || term.starts_with("screen")
        || term.starts_with("tmux")
}

/// Whether somebody is there to answer: no job of a build server, and no console without graphics.
fn may_be_asked(variable: &impl Fn(&str) -> Option<String>) -> bool {
    variable("CI").is_none()
        && !matches!(variable("TERM").as_deref(), Some("linux" | "vt100" | "vt220" | "ansi"))
}

#[cfg(unix)]
fn ask(variable: &impl Fn(&str) -> Option<String>) -> Answer {
    super::query::ask(variable("SSH_CONNECTION").is_some())
        .map_or_else(Answer::default, |reply| Answer::of(&reply))
}

#[cfg(not(unix))]
fn ask(_: &impl Fn(&str) -> Option<String>) -> Answer {
    Answer::default()
}

impl Answer {
    /// What a terminal's replies mean: `ESC [ ? 62 ; 4 ; 22 c`, its attributes, of which 4 are sixels, and
    /// `ESC [ 6 ; 20 ; 10 t`, a cell's height and width.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(super) fn of(reply: &[u8]) -> Self {
        let reply = String::from_utf8_lossy(reply);
        let mut answer = Self::default();
        for sequence in reply.split("\u{1b}[").skip(1) {
            if let Some((attributes, _)) = sequence.strip_prefix('?').and_then(|text| text.split_once('c')) {
                answer.sixel |= attributes.split(';').skip(1).any(|attribute| attribute == "4");
            } else if let Some((sizes, _)) = sequence.strip_prefix("6;").and_then(|text| text.split_once('t'))
                && let Some((height, width)) = sizes.split_once(';')
                && let (Ok(height), Ok(width)) = (height.parse(), width.parse())
                && (1..=200).contains(&height)
                && (1..=200).contains(&width)
            {
                answer.cell = Some((width, height));
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(variables: &[(&str, &str)]) -> Option<Protocol> {
        Protocol::named(&|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn terminals_that_give_their_names_are_not_asked() {
        assert_eq!(named(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
        assert_eq!(named(&[("TERM", "xterm-ghostty")]), Some(Protocol::Kitty));
        assert_eq!(named(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm));
        assert_eq!(named(&[("TERM_PROGRAM", "WezTerm")]), Some(Protocol::Iterm));
        assert_eq!(named(&[("KONSOLE_VERSION", "250801")]), Some(Protocol::Iterm));
        assert_eq!(named(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")]), None);
    }

    #[test]
    fn within_a_multiplexer_the_names_of_the_terminal_around_it_do_not_count() {
        for inner in [("TMUX", "/tmp/tmux-0/default,1,0"), ("STY", "1.pts"), ("TERM", "tmux-256color")] {
            assert_eq!(named(&[inner, ("KITTY_WINDOW_ID", "1"), ("LC_TERMINAL", "iTerm2")]), None);
        }
    }

    #[test]
    fn replies_are_read_in_any_order_and_garbage_means_nothing() {
        let sixel = |reply: &str| Answer::of(reply.as_bytes());
        // xterm -ti vt340, tmux with sixels, VTE, the Linux console, silence, noise.
        assert!(sixel("\u{1b}[?63;1;2;4;6;9;15;22c").sixel);
        assert!(sixel("\u{1b}[?1;2;4c").sixel);
        assert!(!sixel("\u{1b}[?65;1;9c").sixel && !sixel("\u{1b}[?6c").sixel && !sixel("").sixel);
        assert!(!sixel("4;4c hello").sixel);
        // The class of the terminal is no attribute.
        assert!(!sixel("\u{1b}[?4;6c").sixel);
        let both = sixel("\u{1b}[6;18;9t\u{1b}[?62;4c");
        assert_eq!(both, Answer { sixel: true, cell: Some((9, 18)) });
        assert_eq!(sixel("\u{1b}[6;0;9t\u{1b}[6;x;9t\u{1b}[6;9999;9t").cell, None);
    }

    #[test]
    fn colours_are_those_that_the_terminal_says_it_has() {
        let blocks = |value: Option<&str>| Protocol::blocks(&|_| value.map(str::to_owned));
        assert_eq!(blocks(Some("truecolor")), Protocol::TrueColor);
        assert_eq!(blocks(None), Protocol::Palette);
    }
}
