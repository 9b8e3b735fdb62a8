//! What is said about a file of weights: what of it was taken, and what was left out.

use cairn_nets::weights::WeightsFile;

use crate::progress::say;

/// How many names are listed.
const SHOWN: usize = 8;

/// Says which weights of the file are taken.
pub(crate) fn say_source(file: &WeightsFile) {
    let WeightsFile { key, other_keys, unread_entries, unread_classes, weights: _ } = file;
    match (key, other_keys.as_slice()) {
        (Some(key), []) => say(format!("weights: `{key}` of the checkpoint")),
        (Some(key), others) => say(format!(
            "weights: `{key}` of the checkpoint, which also holds {}: choose by `cairn import --key`",
            listed(others.iter().map(|other| format!("`{other}`")))
        )),
        (None, _) => {}
    }
    if !unread_entries.is_empty() {
        let entries = unread_entries.iter().map(|(name, kind)| format!("{name} ({kind})"));
        say(format!("not read: {}", listed(entries)));
    }
    if !unread_classes.is_empty() {
        say(format!("skipped unread, and not executed: {}", listed(unread_classes.iter().cloned())));
    }
}

/// Says how the file's names became those of the network.
pub(crate) fn say_naming(prefix: &str, ignored: &[String], head: Option<&str>) {
    if !prefix.is_empty() {
        say(format!("names begin with `{prefix}` in the file"));
    }
    if let Some(head) = head {
        say(format!("`{head}` is the last layer"));
    }
    if !ignored.is_empty() {
        say(format!("ignored: {}", listed(ignored.iter().cloned())));
    }
}

/// The first few of the names.
fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.take(SHOWN).collect::<Vec<_>>().join(", ") + &more
}
