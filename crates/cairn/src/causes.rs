//! An error and its causes in one line.

use cairn_dataset::path_text;
use std::error::Error;
use std::io;
use std::path::Path;

/// The error with its causes, each after a colon. A cause that says again what stands before it is left out, and errors
/// of the operating system are in plain words, without their number.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut line = String::new();
    for cause in std::iter::successors(Some(error), |&cause| cause.source()) {
        let message = message(cause);
        if message.is_empty() || says(&line, &message) {
            continue;
        }
        // A cause may begin with the words that led to it.
        let rest = message.strip_prefix(line.as_str()).and_then(|rest| rest.strip_prefix(": "));
        let news = rest.unwrap_or(&message);
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(news);
    }
    line
}

/// The same without the path at its beginning, for output that names the path anyway.
pub(crate) fn reason(error: &(dyn Error + 'static), path: &Path) -> String {
    let line = with_causes(error);
    line.strip_prefix(&format!("{}: ", path_text(path))).map(str::to_owned).unwrap_or(line)
}

/// Whether one of the parts of `line`, or several at its end, are this message.
fn says(line: &str, message: &str) -> bool {
    line == message
        || line.strip_suffix(message).is_some_and(|before| before.ends_with(": ") || before.ends_with('('))
        || line.split(": ").any(|part| part == message)
}

fn message(error: &(dyn Error + 'static)) -> String {
    let message = error.to_string();
    let Some(io) = error.downcast_ref::<io::Error>() else { return without_number(&message) };
    match io.kind() {
        // Wrapped errors have words of their own.
        _ if io.raw_os_error().is_none() => without_number(&message),
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is a file, not a folder".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".to_owned(),
        _ => without_number(&message),
    }
}

/// ` (os error 21)` says nothing to people.
fn without_number(message: &str) -> String {
    let mut rest = message;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once(" (os error ") {
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let Some(behind) = after[digits..].strip_prefix(')') else { break };
        text.push_str(before);
        rest = behind;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    /// An error of this message with this cause.
    #[derive(Debug)]
    struct Told(&'static str, Option<Box<dyn Error>>);

    impl fmt::Display for Told {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref()
        }
    }

    fn chain(messages: &[&'static str]) -> Told {
        let (first, rest) = messages.split_first().unwrap();
        let cause = (!rest.is_empty()).then(|| Box::new(chain(rest)) as Box<dyn Error>);
        Told(first, cause)
    }

    #[test]
    fn causes_follow_each_other_and_none_is_said_twice() {
        for (messages, line) in [
            (&["a.jpg: cannot be read", "no light"][..], "a.jpg: cannot be read: no light"),
            (&["m: not a model", "header too large", "header too large"], "m: not a model: header too large"),
            (&["m: header too large", "header too large"], "m: header too large"),
            (&["cannot open (busy)", "busy)"], "cannot open (busy)"),
            (&["a", "a: b", "a: b: c"], "a: b: c"),
            (&["too large", "large"], "too large: large"),
            (&["only"], "only"),
        ] {
            assert_eq!(with_causes(&chain(messages)), line, "{messages:?}");
        }
    }

    #[test]
    fn errors_of_the_operating_system_are_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = std::fs::read(folder.path()).unwrap_err();
        assert!(!with_causes(&error).contains("os error"), "{error}");
        #[cfg(unix)]
        assert_eq!(with_causes(&error), "it is a folder, not a file");
        let missing = std::fs::read(folder.path().join("x")).unwrap_err();
        assert_eq!(with_causes(&missing), "no such file or folder");
        assert_eq!(
            with_causes(&chain(&["cannot be read: Is a directory (os error 21)"])),
            "cannot be read: Is a directory"
        );
        assert_eq!(with_causes(&chain(&["odd (os error x)"])), "odd (os error x)");
    }

    #[test]
    fn a_reason_leaves_out_the_path_that_its_row_has() {
        let error = chain(&["a/b.jpg: cannot be read", "no light"]);
        assert_eq!(reason(&error, Path::new("a/b.jpg")), "cannot be read: no light");
        assert_eq!(reason(&error, Path::new("b.jpg")), "a/b.jpg: cannot be read: no light");
    }
}
