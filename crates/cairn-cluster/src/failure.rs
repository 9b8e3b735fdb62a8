//! What an executor says to people, in whatever the engine makes of its errors on the way.

use std::fmt;

/// Before the words of a refusal, and of what may pass.
const BEFORE: [&str; 2] = ["<<cairn refuses: ", "<<cairn: "];
/// Behind them.
const AFTER: &str = " :cairn>>";

/// What a failed job says to people. Its text is marked, so that [`Failure::of`] finds it in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) words: String,
    /// Whether it is the same however often it is tried.
    pub(crate) is_refusal: bool,
}

impl Failure {
    pub(crate) fn refusal(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_refusal: true }
    }

    pub(crate) fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_refusal: false }
    }

    /// That in what the engine says; where nothing of ours is in it, all of that.
    pub(crate) fn of(said: &str) -> Self {
        for (before, is_refusal) in BEFORE.into_iter().zip([true, false]) {
            let words = said.split_once(before).and_then(|(_, rest)| rest.split_once(AFTER));
            if let Some((words, _)) = words {
                return Self { words: unquoted(words), is_refusal };
            }
        }
        Self::passing(said)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [refuses, says] = BEFORE;
        write!(f, "{}{}{AFTER}", if self.is_refusal { refuses } else { says }, quoted(&self.words))
    }
}

/// Words without what is escaped when the engine quotes them, once or oftener.
fn quoted(words: &str) -> String {
    let mut quoted = String::with_capacity(words.len());
    for c in words.chars() {
        if c.is_control() || "%\\\"'".contains(c) {
            quoted.push_str(&format!("%{:x};", u32::from(c)));
        } else {
            quoted.push(c);
        }
    }
    quoted
}

fn unquoted(words: &str) -> String {
    let mut parts = words.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap_or((part, ""));
        plain.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        plain.push_str(rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_executor_says_comes_out_of_what_the_engine_makes_of_it() {
        let words = "C:\\photos \"new\" 50 %: it isn't there";
        for failure in [Failure::refusal(words), Failure::passing(words)] {
            let error = std::io::Error::other(failure.to_string());
            let said = format!("Job failed: {:?}", format!("Task failed: {error:?}"));
            assert_eq!(Failure::of(&said), failure);
        }
        assert_eq!(Failure::of("no executors"), Failure::passing("no executors"));
    }
}
