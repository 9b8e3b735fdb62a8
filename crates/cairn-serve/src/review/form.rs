//! What a person decided, as the pages' forms send it.

use cairn_library::state::Decision;

/// What a button says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    /// Decide about one photo, whatever is selected.
    One(usize, Decision),
    /// Decide about the selected photos.
    Selected(Decision),
    /// Decide about all photos of the group that nobody decided about.
    Undecided(Decision),
    /// Never mark the landmark in this library.
    NeverHere,
    /// Mark it again.
    AllowHere,
    /// Take back what was decided last.
    TakeBack,
    /// Nothing: the button that Enter in a field presses.
    Nothing,
}

impl Do {
    /// As buttons have it: `confirm`, `confirm-7`, `confirm-undecided`, `never-here`.
    fn of(text: &str) -> Option<Self> {
        match text {
            "never-here" => return Some(Self::NeverHere),
            "allow-here" => return Some(Self::AllowHere),
            "take-back" => return Some(Self::TakeBack),
            "nothing" => return Some(Self::Nothing),
            _ => {}
        }
        let (word, whose) = text.split_once('-').unwrap_or((text, ""));
        let decision = [Decision::Confirm, Decision::Reject, Decision::Never]
            .into_iter()
            .find(|decision| decision.to_string() == word)?;
        match whose {
            "" => Some(Self::Selected(decision)),
            "undecided" => Some(Self::Undecided(decision)),
            photo => Some(Self::One(photo.parse().ok()?, decision)),
        }
    }
}

/// A form of a group's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// The group, by its place.
    pub(super) group: usize,
    /// The photos that are selected, by their places in the group.
    pub(super) photos: Vec<usize>,
    /// What is to be done.
    pub(super) what: Do,
    /// Which part of the group the page shows, to come back to.
    pub(super) part: Part,
    /// Whether to come back to the page of the one photo.
    pub(super) alone: bool,
}

impl Form {
    /// Reads `group=3&photo=1&photo=2&do=confirm`; `None` where it is something else. No value needs to be escaped.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (mut group, mut photos, mut what, mut part, mut alone) =
            (None, Vec::new(), None, Part::default(), false);
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "group" => group = Some(value.parse().ok()?),
                "photo" => photos.push(value.parse().ok()?),
                "do" => what = Some(Do::of(value)?),
                "page" => part.page = value.parse().ok()?,
                "show" => part.all = value == "all",
                "alone" => alone = true,
                _ => return None,
            }
        }
        Some(Self { group: group?, photos, what: what?, part, alone })
    }
}

/// Which photos of a group a page shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Those that were decided, too.
    pub(super) all: bool,
    /// From 0.
    pub(super) page: usize,
}

impl Part {
    /// Reads `show=all&page=2`; what it does not say is as on the first page.
    pub(super) fn of_query(query: Option<&str>) -> Self {
        let mut part = Self::default();
        for (name, value) in query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "page" => part.page = value.parse().unwrap_or_default(),
                "show" => part.all = value == "all",
                _ => {}
            }
        }
        part
    }

    /// As a query of an address.
    pub(super) fn query(self) -> String {
        match (self.all, self.page) {
            (false, 0) => String::new(),
            (false, page) => format!("?page={page}"),
            (true, 0) => "?show=all".to_owned(),
            (true, page) => format!("?show=all&page={page}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_say_what_is_decided_about_which_photos() {
        let of = |text: &str| Form::of(text.as_bytes()).map(|form| (form.group, form.photos, form.what));
        assert_eq!(
            of("group=3&photo=1&photo=22&do=confirm"),
            Some((3, vec![1, 22], Do::Selected(Decision::Confirm)))
        );
        assert_eq!(of("group=0&photo=1&do=reject-7"), Some((0, vec![1], Do::One(7, Decision::Reject))));
        assert_eq!(of("group=0&do=never-undecided"), Some((0, vec![], Do::Undecided(Decision::Never))));
        assert_eq!(of("group=0&do=never-here&page=2&show=all"), Some((0, vec![], Do::NeverHere)));
        for wrong in [
            "",
            "group=0",
            "do=confirm",
            "group=-1&do=confirm",
            "group=0&do=delete",
            "group=0&do=confirm-x",
            "group=0&do=confirm&other=1",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_part_of_a_group_stands_in_its_address() {
        for part in [
            Part::default(),
            Part { all: true, page: 0 },
            Part { all: true, page: 7 },
            Part { all: false, page: 1 },
        ] {
            assert_eq!(Part::of_query(part.query().strip_prefix('?')), part);
        }
        assert_eq!(Part::of_query(Some("page=x&show=some&y")), Part::default());
    }
}
