//! Photos in, cards out: every way in, every kind of card, with and without the script.

use std::fs;
use std::path::PathBuf;

use cairn_reference::data_folder;
use cairn_serve::{Key, Limits, ServeConfig};
use serde_json::Value;
use tempfile::TempDir;

use crate::axe;
use crate::support::{Photos, Shipped, TestServer};
use crate::webdriver::{Browser, Look};

fn server(config: ServeConfig) -> TestServer {
    TestServer::start(config, Shipped::ALL_LANDMARKS)
}

/// Nothing was asked of other hosts, and the console has no word.
fn behaved(browser: &Browser, server: &TestServer) {
    let console = browser.console();
    assert!(console.is_empty(), "{}", console.join("\n"));
    let elsewhere = browser.requests_elsewhere(&server.url(""));
    assert!(elsewhere.is_empty(), "{}", elsewhere.join("\n"));
}

/// Makes the page hold a `DataTransfer` with these files, as a person who drags or copies them would.
fn carry(browser: &Browser, files: &[PathBuf]) {
    browser.script(
        "const input = Object.assign(document.createElement('input'), { type: 'file', id: 'carrier', multiple: true });
         document.body.append(input);",
    );
    browser.choose("#carrier", files);
    browser.script(
        "window.carried = new DataTransfer();
         for (const file of document.querySelector('#carrier').files) carried.items.add(file);
         document.querySelector('#carrier').remove();",
    );
}

#[test]
fn photos_that_are_chosen_get_a_card_each_in_their_order_and_can_be_saved() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let (server, photos) = (server(ServeConfig::default()), Photos::draw());
    browser.go(&server.url("/"));
    axe::check(&browser);
    let names = ["castle.png", "broken.jpg", "dome.png", "tower.png", "castle.png", "dome.png"];
    browser.choose("#choose", &names.map(|name| photos.path(name)));
    browser.count(".card.landmark", 5);
    browser.count(".card.unreadable", 1);
    browser.wait("no photo waits", || browser.all(".waiting").is_empty().then_some(()));
    let order =
        browser.script("return [...document.querySelectorAll('figcaption')].map((name) => name.textContent)");
    assert_eq!(order, serde_json::json!(names));
    assert_eq!(browser.text("#progress"), "5 of 6 photos show a landmark that I know");
    assert_eq!(browser.all("#found a").len(), 5);
    assert!(browser.text(".card.landmark .said").contains('%'));
    let heard = browser.script("return document.querySelector('#said').textContent");
    assert!(heard.as_str().unwrap().contains("broken.jpg: "), "{heard}");
    axe::check(&browser);

    // What is saved is what the cards carry.
    browser.script(
        "window.saved = {};
         URL.createObjectURL = (blob) => { blob.text().then((text) => saved[blob.type] = text); return '#'; };",
    );
    for ending in ["csv", "json", "geojson"] {
        browser.click(&format!("[data-save={ending}]"));
    }
    let saved = browser.wait("three files", || {
        let saved = browser.script("return window.saved");
        (saved.as_object().unwrap().len() == 3).then_some(saved)
    });
    let json: Vec<Value> = serde_json::from_str(saved["application/json"].as_str().unwrap()).unwrap();
    let in_json: Vec<&str> = json.iter().map(|row| row["photo"].as_str().unwrap()).collect();
    assert_eq!(in_json, names);
    assert!(
        json[1]["error"].is_string() && json[0]["landmarks"][0]["place"]["latitude"].is_number(),
        "{json:?}"
    );
    let geojson: Value = serde_json::from_str(saved["application/geo+json"].as_str().unwrap()).unwrap();
    let features = geojson["features"].as_array().unwrap();
    let placed = features.iter().filter(|feature| feature["geometry"]["type"] == "Point").count();
    assert_eq!((features.len(), placed), (6, 5));
    let csv = saved["text/csv"].as_str().unwrap();
    assert!(csv.starts_with("photo,rank,class,name") && csv.lines().count() == 1 + 5 * 3 + 1, "{csv}");

    browser.click(".clear");
    assert!(browser.all(".card").is_empty() && browser.all("#found a").is_empty());
    behaved(&browser, &server);
}

#[test]
fn photos_that_are_dropped_or_pasted_get_cards_too() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let (server, photos) = (server(ServeConfig::default()), Photos::draw());
    browser.go(&server.url("/"));
    carry(&browser, &[photos.path("castle.png"), photos.path("dome.png")]);
    browser.script(
        "for (const kind of ['dragenter', 'dragover'])
           document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));",
    );
    assert!(browser.text("#drop-hint").contains("Drop the photos"));
    browser.script(
        "document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));",
    );
    browser.count(".card.landmark", 2);
    assert_eq!(browser.text("#drop-hint"), "", "hidden again");
    browser.script(
        "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true }));",
    );
    browser.count(".card.landmark", 4);
    behaved(&browser, &server);
}

#[test]
fn the_heat_map_comes_by_a_toggle_that_the_keyboard_reaches() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let (server, photos) = (server(ServeConfig::default()), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &[photos.path("castle.png")]);
    browser.count(".card.landmark", 1);
    browser.script(
        "document.querySelector('#results').scrollIntoView(); document.querySelector('.clear').focus()",
    );
    // From "Clear" the next stop is the card's toggle; a space checks it.
    browser.press("\u{E004} ");
    let map = browser.find(".heat-map");
    browser.wait("the map is shown", || {
        let opacity = browser.script("return getComputedStyle(document.querySelector('.heat-map')).opacity");
        (opacity == "1").then_some(())
    });
    let width = browser.script("return document.querySelector('.heat-map').naturalWidth");
    assert!(width.as_u64().unwrap() > 50, "{width} {map:?}");
    browser.press(" ");
    let checked = browser.script("return document.querySelector('.heat').checked");
    assert_eq!(checked, false);
    behaved(&browser, &server);
}

#[test]
fn without_the_script_a_form_gives_the_same_cards_and_files() {
    let Some(browser) = Browser::start(Look { script: false, ..Look::DESKTOP }) else { return };
    let (server, photos) = (server(ServeConfig::default()), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &["castle.png", "broken.jpg", "dome.png"].map(|name| photos.path(name)));
    browser.click(".plain input");
    browser.click(".plain button");
    browser.count(".card.landmark", 2);
    browser.count(".card.unreadable", 1);
    assert_eq!(browser.all(".card .photo").len(), 2);
    assert_eq!(browser.all("#found a").len(), 2);
    assert_eq!(browser.all(".saves a[download]").len(), 3);
    assert!(browser.text("#progress").starts_with("2 of 3"), "{}", browser.text("#progress"));
    browser.click(".toggle");
    browser.find(".heat:checked");
    // Nothing that only the script can do is shown.
    assert!(!browser.text("body").contains("Is this right?"));
}

#[test]
fn without_the_script_a_request_that_is_refused_is_a_page_that_says_why() {
    let Some(browser) = Browser::start(Look { script: false, ..Look::PHONE }) else { return };
    let limits = Limits { max_photos: 1, ..Limits::default() };
    let (server, photos) = (server(ServeConfig { limits, ..ServeConfig::default() }), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &["castle.png", "dome.png"].map(|name| photos.path(name)));
    browser.click(".plain button");
    browser.wait("the reason", || browser.text(".refused").contains("more than 1 photo").then_some(()));
    assert!(browser.text("#photos").contains("At most 1 photo"), "{}", browser.text("#photos"));
}

#[test]
fn a_phone_in_the_dark_shows_everything_within_320_pixels() {
    let Some(browser) = Browser::start(Look { width: 320, height: 700, dark: true, ..Look::PHONE }) else {
        return;
    };
    let config = ServeConfig { feedback: Some(PathBuf::from("never-written")), ..ServeConfig::default() };
    let (server, photos) = (server(config), Photos::draw());
    browser.go(&server.url("/"));
    assert!(browser.text("#photos").contains("Take a photo"), "{}", browser.text("#photos"));
    browser.choose("#camera", &[photos.path("castle.png")]);
    browser.choose("#choose", &[photos.path("broken.jpg")]);
    browser.count(".card.landmark", 1);
    browser.count(".card.unreadable", 1);
    browser.click(".wrong");
    browser.click(".known-list summary");
    browser.check_width(320, "/");
    let paper = browser.script("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(paper, "rgb(14, 21, 19)");
    axe::check(&browser);
}

#[test]
fn below_a_prefix_everything_is_found() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let config = ServeConfig { base_path: "/photos/cairn".to_owned(), ..ServeConfig::default() };
    let (server, photos) = (server(config), Photos::draw());
    browser.go(&server.url(""));
    assert_eq!(browser.script("return location.pathname"), "/photos/cairn/");
    browser.choose("#choose", &[photos.path("dome.png")]);
    browser.count(".card.landmark", 1);
    browser.click(".heat");
    browser.find(".heat-map");
    behaved(&browser, &server);
}

#[test]
fn corrections_are_kept_in_folders_that_training_takes() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let kept = TempDir::new().unwrap();
    let config = ServeConfig { feedback: Some(kept.path().to_owned()), ..ServeConfig::default() };
    let (server, photos) = (server(config), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &["castle.png", "dome.png", "tower.png"].map(|name| photos.path(name)));
    browser.count(".card.landmark", 3);
    browser.click("#photo-1 .right");
    browser.click("#photo-2 .wrong");
    browser.type_into("#photo-2 .correction input", "Our town hall");
    browser.click("#photo-2 .named");
    browser.click("#photo-3 .wrong");
    browser.click("#photo-3 .none");
    browser.wait("three thanks", || {
        (browser
            .script("return [...document.querySelectorAll('.outcome')].filter((o) => o.textContent).length")
            == 3)
            .then_some(())
    });
    let outcomes: Vec<String> =
        (1..=3).map(|number| browser.text(&format!("#photo-{number} .outcome"))).collect();
    assert!(outcomes.iter().all(|outcome| outcome.starts_with("Kept")), "{outcomes:?}");
    let classes: Vec<String> = fs::read_dir(kept.path().join("train"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(classes.len(), 2, "{classes:?}");
    assert!(classes.iter().any(|class| class.contains("town")), "{classes:?}");
    assert_eq!(fs::read_dir(kept.path().join("other")).unwrap().count(), 1);
    behaved(&browser, &server);
}

#[test]
fn a_photo_that_rightly_has_no_landmark_is_kept_among_the_others() {
    let Some(browser) = Browser::start(Look::PHONE) else { return };
    let kept = TempDir::new().unwrap();
    let config = ServeConfig { feedback: Some(kept.path().to_owned()), ..ServeConfig::default() };
    let (server, photos) = (TestServer::start(config, Shipped::NO_LANDMARKS), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &[photos.path("castle.png")]);
    browser.count(".card.other", 1);
    assert!(browser.text(".card.other h2").contains("No landmark that I know"));
    assert!(browser.all(".region, #found a").is_empty(), "no map without a place");
    browser.click(".right");
    browser.wait("thanks", || browser.text(".outcome").starts_with("Kept").then_some(()));
    assert_eq!(fs::read_dir(kept.path().join("other")).unwrap().count(), 1);
    assert!(!kept.path().join("train").exists());
    behaved(&browser, &server);
}

#[test]
fn a_key_is_asked_for_and_the_photos_wait_for_it() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let config = ServeConfig { keys: vec![Key::new("o p&n")], ..ServeConfig::default() };
    let (server, photos) = (server(config), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &[photos.path("castle.png"), photos.path("dome.png")]);
    browser.wait("the question", || browser.text("#key-outcome").contains("the photos wait").then_some(()));
    axe::check(&browser);
    browser.type_into("#key", "wrong\u{E007}");
    browser.wait("the refusal", || browser.text("#key-outcome").contains("does not know").then_some(()));
    browser.script("document.querySelector('#key').value = ''");
    browser.type_into("#key", "o p&n\u{E007}");
    browser.count(".card.landmark", 2);
    // The window remembers it.
    browser.go(&server.url("/"));
    browser.choose("#choose", &[photos.path("tower.png")]);
    browser.count(".card.landmark", 1);
    assert_eq!(browser.text("#key-form"), "");
    let console = browser.console();
    assert!(console.iter().all(|line| line.contains("401")), "{console:?}");
}

#[test]
fn without_the_script_the_key_goes_by_the_address() {
    let Some(browser) = Browser::start(Look { script: false, ..Look::DESKTOP }) else { return };
    let config = ServeConfig { keys: vec![Key::new("o p&n")], ..ServeConfig::default() };
    let (server, photos) = (server(config), Photos::draw());
    browser.go(&server.url("/"));
    browser.choose("#choose", &[photos.path("castle.png")]);
    browser.click(".plain button");
    browser.wait("the refusal", || browser.text(".refused").contains("needs a key").then_some(()));
    browser.go(&server.url("/"));
    browser.type_into("#key", "o p&n\u{E007}");
    browser.find("#photos[action='photos?key=o%20p%26n']");
    browser.choose("#choose", &[photos.path("castle.png")]);
    browser.click(".plain button");
    browser.count(".card.landmark", 1);
}

#[test]
fn the_documentation_reads_well_on_every_screen() {
    let (server, pictures) =
        (server(ServeConfig::default()), std::env::var_os("CAIRN_SCREENSHOTS").map(PathBuf::from));
    for (name, look) in [
        ("docs", Look::DESKTOP),
        ("docs-dark", Look { dark: true, ..Look::DESKTOP }),
        ("docs-phone", Look::PHONE),
        ("docs-phone-dark", Look { dark: true, ..Look::PHONE }),
    ] {
        let Some(browser) = Browser::start(look) else { return };
        browser.go(&server.url("/docs"));
        assert_eq!(browser.text("h1"), "For programs");
        axe::check(&browser);
        let wide = browser
            .script("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "nothing is wider than the screen");
        if let Some(folder) = &pictures {
            fs::create_dir_all(folder).unwrap();
            browser.screenshot(&folder.join(format!("{name}.png")));
        }
        behaved(&browser, &server);
        browser.click("nav a[href='./']");
        browser.find("#choose");
    }
}

#[test]
fn real_photos_look_good() {
    let Some(folder) = std::env::var_os("CAIRN_SCREENSHOTS").map(PathBuf::from) else {
        println!("skipped: CAIRN_SCREENSHOTS names no folder for pictures of the page");
        return;
    };
    let Some(photos) = data_folder("photos") else { return };
    fs::create_dir_all(&folder).unwrap();
    // Chromium takes no path with dots in it.
    let photos = fs::canonicalize(photos).unwrap();
    let endings = ["jpg", "png", "webp", "gif", "avif"];
    let mut files: Vec<PathBuf> = fs::read_dir(photos).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)));
    files.sort();
    let server = TestServer::start(
        ServeConfig { feedback: Some(folder.join("feedback")), ..ServeConfig::default() },
        Shipped::AS_IT_IS,
    );
    for (name, look) in [
        ("desktop", Look::DESKTOP),
        ("desktop-dark", Look { dark: true, ..Look::DESKTOP }),
        ("phone", Look::PHONE),
        ("phone-dark", Look { dark: true, ..Look::PHONE }),
    ] {
        let Some(browser) = Browser::start(look) else { return };
        browser.go(&server.url("/"));
        browser.screenshot(&folder.join(format!("{name}-empty.png")));
        browser.choose("#choose", &files);
        browser.count(".card:not(.waiting)", files.len());
        browser.screenshot(&folder.join(format!("{name}.png")));
    }
}
