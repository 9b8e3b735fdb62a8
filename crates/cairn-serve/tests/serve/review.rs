//! The review's pages as their forms and other pages see them.

use crate::reviewed_library::ReviewedLibrary;

/// An answer: its status, where it leads, its media type, its body.
struct Answer {
    status: u16,
    location: String,
    headers: ureq::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let location = parts.headers.get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = body.into_with_config().limit(64 << 20).read_to_vec().unwrap();
    Answer { status: parts.status.as_u16(), location, headers: parts.headers, body }
}

fn get(url: &str) -> Answer {
    answer(agent().get(url).call().unwrap())
}

/// Posts a form with these headers beside.
fn post(url: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = agent().post(url).content_type("application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.send(form).unwrap())
}

/// What a decision is stored as.
fn stored(landmark: &str, decision: &str) -> (Option<String>, Option<String>) {
    (Some(landmark.to_owned()), Some(decision.to_owned()))
}

#[test]
fn the_pages_show_each_landmark_and_each_photo_of_it() {
    let library = ReviewedLibrary::start(50, 2);
    let first = get(&library.url(""));
    assert_eq!((first.status, first.header("cache-control")), (200, "no-store"));
    for part in
        ["52 photos of 2 landmarks wait", "Eiffel Tower", "Paris, France", "50 to decide", "Colosseum"]
    {
        assert!(first.text().contains(part), "{part}: {}", first.text());
    }
    let towers = (0..2)
        .map(|group| get(&library.url(&format!("groups/{group}"))))
        .find(|page| page.text().contains("<h1>Eiffel Tower"))
        .unwrap();
    assert_eq!(towers.text().matches("type=\"checkbox\"").count(), 48, "a page of them");
    assert!(towers.text().contains("Page 1 of 2"));
    for page in [&first, &towers] {
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!page.text().contains("http://") && !page.text().contains("https://"), "{}", page.text());
        assert!(!page.text().contains("style=") && !page.text().contains("onclick"));
    }
    for missing in
        ["groups/2", "groups/x", "groups/0/photos/50", "groups/0/photos/50/small.jpg", "other", "assets/x"]
    {
        let status = get(&library.url(missing)).status;
        assert!(status == 404 || status == 400, "{missing}: {status}");
    }
}

#[test]
fn decisions_are_stored_when_the_form_is_answered_and_many_are_taken_back_at_once() {
    let library = ReviewedLibrary::start(4, 0);
    let decide = |form: &str| post(&library.url("decide"), form, &[]);
    let one = decide("group=0&do=confirm-0");
    assert_eq!((one.status, one.location.as_str()), (303, "groups/0?at=1#photo-1"), "on to the next");
    assert_eq!(library.stored(), [stored("Eiffel Tower", "confirm")]);

    decide("group=0&photo=1&photo=2&do=reject&show=all");
    assert_eq!(library.stored()[1..], [stored("Eiffel Tower", "reject"), stored("Eiffel Tower", "reject")]);
    decide("group=0&do=never-undecided");
    assert_eq!(library.stored()[3], (None, Some("never".to_owned())), "of any landmark");
    let page = get(&library.url("groups/0?show=all"));
    for part in ["0 to decide, 1 yes, 2 no, 1 never", "1 photo never marked.", "Take it back"] {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }

    decide("group=0&do=take-back");
    let back = decide("group=0&do=take-back");
    assert_eq!(back.location, "groups/0?at=1#photo-1", "to where it was decided");
    let page = get(&library.url("groups/0"));
    assert!(page.text().contains("3 to decide, 1 yes"), "{}", page.text());
    assert_eq!(
        library.stored()[4..],
        [(None, None), (Some("Eiffel Tower".to_owned()), None), (Some("Eiffel Tower".to_owned()), None)]
    );
    decide("group=0&do=take-back");
    decide("group=0&do=take-back");
    assert!(get(&library.url("groups/0")).text().contains("4 to decide<"), "nothing more to take back");

    for nonsense in ["", "group=0", "group=0&do=delete", "group=x&do=confirm"] {
        assert_eq!(decide(nonsense).status, 400, "{nonsense}");
    }
    assert_eq!(decide(&"a=b&".repeat(1 << 19)).status, 400, "larger than any form");
    decide("group=7&do=confirm-0");
    decide("group=0&do=confirm-99");
    assert_eq!(library.stored().len(), 8, "what is not there cannot be decided about");
}

#[test]
fn a_landmark_is_never_marked_here_until_it_is_allowed_again() {
    let library = ReviewedLibrary::start(1, 1);
    let decide = |form: &str| post(&library.url("decide"), form, &[]);
    decide("group=0&do=never-here");
    let page = get(&library.url("groups/0"));
    assert!(
        page.text().contains("is never marked in this library") && page.text().contains("Allow it again")
    );
    decide("group=0&do=allow-here");
    assert!(get(&library.url("groups/0")).text().contains("Never mark it in this library"));
    let words: Vec<Option<String>> = library.stored().into_iter().map(|(_, decision)| decision).collect();
    assert_eq!(words, [Some("never".to_owned()), None]);
}

#[test]
fn who_has_not_the_secret_sees_nothing_and_decides_nothing() {
    let library = ReviewedLibrary::start(1, 0);
    let secret = library.url("").split('/').nth(3).unwrap().to_owned();
    assert_eq!(secret.len(), 32);
    let wrong = "0".repeat(32);
    for path in [
        "",
        "/",
        "/groups/0",
        &format!("/{wrong}/"),
        &format!("/{wrong}/groups/0/photos/0/small.jpg"),
        &format!("/{}/", &secret[..31]),
    ] {
        let refused = get(&format!("{}{path}", library.origin()));
        assert_eq!(refused.status, 404, "{path}");
        assert!(!refused.text().contains("Eiffel"), "{path}: {}", refused.text());
    }
    assert_eq!(
        post(&format!("{}/{wrong}/decide", library.origin()), "group=0&do=confirm-0", &[]).status,
        404
    );
    assert_eq!(library.stored(), []);
}

#[test]
fn pages_of_other_sites_and_other_names_of_the_machine_are_refused() {
    let library = ReviewedLibrary::start(1, 0);
    let decide =
        |headers: &[(&str, &str)]| post(&library.url("decide"), "group=0&do=confirm-0", headers).status;
    assert_eq!(decide(&[("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(decide(&[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:1")]), 403);
    assert_eq!(decide(&[("origin", "https://elsewhere.example")]), 403);
    assert_eq!(decide(&[("origin", "null")]), 403);
    let rebound = answer(agent().get(library.url("")).header("host", "photos.example").call().unwrap());
    assert_eq!(rebound.status, 403, "a name that was made to lead here");
    assert_eq!(library.stored(), []);
    assert_eq!(decide(&[("sec-fetch-site", "same-origin"), ("origin", &library.origin())]), 303);
    assert_eq!(library.stored().len(), 1);
}

#[test]
fn photos_are_small_upright_and_one_that_cannot_be_read_says_why() {
    let library = ReviewedLibrary::start_turned();
    let small = get(&library.url("groups/0/photos/0/small.jpg"));
    assert_eq!(small.header("content-type"), "image/jpeg");
    let photo = cairn_photo::Photo::decode_at(
        &small.body,
        "small",
        cairn_photo::ReadSize::Full,
        &cairn_photo::Limits::default(),
    );
    let photo = photo.unwrap();
    assert_eq!((photo.width(), photo.height()), (64, 96), "turned");
    assert!(get(&library.url("groups/0/photos/0")).text().contains("data:image/jpeg;base64,"));

    std::fs::write(library.path("tower-0.jpg"), b"").unwrap();
    let small = get(&library.url("groups/0/photos/0/small.jpg"));
    assert_eq!((small.status, small.header("content-type")), (200, "image/svg+xml"));
    assert!(small.text().contains("cannot be read") && small.text().contains("empty"), "{}", small.text());
    let page = get(&library.url("groups/0/photos/0"));
    assert!(page.text().contains("This photo cannot be read: "), "{}", page.text());
    std::fs::remove_file(library.path("tower-0.jpg")).unwrap();
    assert!(get(&library.url("groups/0")).text().contains("no longer there"));
}
