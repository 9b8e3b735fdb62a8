//! The review as people use it: by keys, by forms alone, on a phone, in the dark.

use std::path::PathBuf;

use cairn_reference::data_folder;
use serde_json::json;

use crate::axe;
use crate::reviewed_library::ReviewedLibrary;
use crate::webdriver::{Browser, Look};

/// Nothing was asked of other hosts, and the console has no word.
fn behaved(browser: &Browser, library: &ReviewedLibrary) {
    let console = browser.console();
    assert!(console.is_empty(), "{}", console.join("\n"));
    let elsewhere = browser.requests_elsewhere(&library.url(""));
    assert!(elsewhere.is_empty(), "{}", elsewhere.join("\n"));
}

/// The decisions' words, in their order; empty where one was taken back.
fn words(library: &ReviewedLibrary) -> Vec<String> {
    library.stored().into_iter().map(|(_, decision)| decision.unwrap_or_default()).collect()
}

/// Waits until so many decisions are stored and the page shows it.
fn stored(browser: &Browser, library: &ReviewedLibrary, expected: &[&str], counts: &str) {
    browser.wait(&format!("{expected:?}"), || (words(library) == expected).then_some(()));
    browser.wait(counts, || (browser.text(".counts") == counts).then_some(()));
}

/// Which photo has the focus.
fn focused(browser: &Browser) -> String {
    browser.script("return document.activeElement.id").as_str().unwrap().to_owned()
}

#[test]
fn a_landmark_is_looked_through_by_keys() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let library = ReviewedLibrary::start(9, 2);
    browser.go(&library.url(""));
    axe::check(&browser);
    assert_eq!(browser.all("#found a").len(), 2, "both are on the map");
    let eiffel = browser.script(
        "const link = [...document.querySelectorAll('#groups h2 a')].find((link) => link.textContent === 'Eiffel Tower');
         return link.getAttribute('href')",
    );
    browser.go(&library.url(eiffel.as_str().unwrap()));
    browser.count(".card[id^=photo-]", 9);
    axe::check(&browser);
    browser.press("\u{E015}");
    assert_eq!(focused(&browser), "photo-0", "down to the first photo");
    browser.press("\u{E014}\u{E014}\u{E012}");
    assert_eq!(focused(&browser), "photo-1", "right, right, left");

    browser.press("y");
    stored(&browser, &library, &["confirm"], "8 to decide, 1 yes");
    browser.wait("the next photo", || (focused(&browser) == "photo-2").then_some(()));
    browser.press("n");
    stored(&browser, &library, &["confirm", "reject"], "7 to decide, 1 yes, 1 no");
    browser.wait("the next photo", || (focused(&browser) == "photo-3").then_some(()));
    browser.press("x");
    stored(&browser, &library, &["confirm", "reject", "never"], "6 to decide, 1 yes, 1 no, 1 never");
    assert!(browser.text(".step p").contains("never marked"), "{}", browser.text(".step p"));
    browser.wait("the next photo", || (focused(&browser) == "photo-4").then_some(()));

    // Two that are selected, together, and back.
    browser.press(" \u{E014} ");
    assert_eq!(browser.script("return document.querySelectorAll('.select input:checked').length"), 2);
    browser.press("Y");
    let five = ["confirm", "reject", "never", "confirm", "confirm"];
    stored(&browser, &library, &five, "4 to decide, 3 yes, 1 no, 1 never");
    browser.wait("a photo", || focused(&browser).starts_with("photo-").then_some(()));
    browser.press("u");
    let seven = ["confirm", "reject", "never", "confirm", "confirm", "", ""];
    stored(&browser, &library, &seven, "6 to decide, 1 yes, 1 no, 1 never");
    browser.wait("where it was", || (focused(&browser) == "photo-4").then_some(()));
    axe::check(&browser);

    browser.press("o");
    browser.wait("the photo by itself", || {
        browser.text("h1").starts_with("Is this the Eiffel Tower").then_some(())
    });
    browser.wait("its focus", || (focused(&browser) == "photo-4").then_some(()));
    axe::check(&browser);
    browser.press("n");
    browser.wait("the next photo by itself", || {
        browser.script("return location.pathname").as_str().unwrap().ends_with("/photos/5").then_some(())
    });
    assert_eq!(words(&library).last().unwrap(), "reject");
    behaved(&browser, &library);
}

#[test]
fn without_the_script_the_same_forms_decide() {
    let Some(browser) = Browser::start(Look { script: false, ..Look::DESKTOP }) else { return };
    let library = ReviewedLibrary::start(3, 0);
    browser.go(&library.url("groups/0"));
    browser.click("#photo-0 .no");
    stored(&browser, &library, &["reject"], "2 to decide, 1 no");
    browser.click("#photo-1 .select input");
    browser.click(".bulk button[value=confirm]");
    stored(&browser, &library, &["reject", "confirm"], "1 to decide, 1 yes, 1 no");
    browser.click(".undo button");
    stored(&browser, &library, &["reject", "confirm", ""], "2 to decide, 1 no");
    browser.click(".here summary");
    browser.click(".here button");
    browser.wait("never here", || browser.text(".here").contains("is never marked").then_some(()));
    assert_eq!(words(&library).last().unwrap(), "never");
    browser.go(&library.url("groups/0/photos/1"));
    browser.click(".yes");
    browser.wait("the photo that is left", || browser.text("figcaption").contains("tower-2").then_some(()));
    assert!(browser.all("#keys dl").is_empty() || browser.text("#keys").is_empty(), "keys need the script");
}

#[test]
fn enter_in_a_checkbox_decides_nothing() {
    let Some(browser) = Browser::start(Look { script: false, ..Look::DESKTOP }) else { return };
    let library = ReviewedLibrary::start(2, 0);
    browser.go(&library.url("groups/0"));
    browser.click("#photo-0 .select input");
    browser.press("\u{E007}");
    // The page comes again, and with nothing selected.
    browser.wait("it again", || browser.all(".select input:checked").is_empty().then_some(()));
    browser.click("#photo-1 .no");
    stored(&browser, &library, &["reject"], "1 to decide, 1 no");
}

#[test]
fn a_phone_in_the_dark_shows_the_review_within_320_pixels() {
    let Some(browser) = Browser::start(Look { width: 320, height: 700, dark: true, ..Look::PHONE }) else {
        return;
    };
    let library = ReviewedLibrary::start(3, 1);
    let tower = (0..2).map(|group| library.url(&format!("groups/{group}")));
    for page in [library.url(""), library.url("groups/0/photos/0")].into_iter().chain(tower) {
        browser.go(&page);
        browser.find("main");
        browser.check_width(320, &page);
        axe::check(&browser);
    }
    browser.click(".yes");
    browser.wait("a decision", || (words(&library).len() == 1).then_some(()));
    browser.wait("that it is shown", || (browser.all(".undo button").len() == 1).then_some(()));
    axe::check(&browser);
    behaved(&browser, &library);
}

#[test]
fn a_review_that_has_ended_says_that_nothing_is_stored() {
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    let library = ReviewedLibrary::start(2, 0);
    browser.go(&library.url("groups/0"));
    browser.find("#photo-0 .yes");
    drop(library);
    browser.click("#photo-0 .yes");
    browser.wait("the word about it", || browser.text("main").contains("This was not stored").then_some(()));
}

#[test]
fn the_review_of_real_photos_looks_good() {
    let Some(folder) = std::env::var_os("CAIRN_SCREENSHOTS").map(PathBuf::from) else {
        println!("skipped: CAIRN_SCREENSHOTS names no folder for pictures of the pages");
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let mut photos = Vec::new();
    for (class, landmark, most) in [
        ("12.Eiffel_Tower", "Eiffel Tower", 14),
        ("10.Colosseum", "Colosseum", 5),
        ("31.Taj_Mahal", "Taj Mahal", 3),
    ] {
        let Some(class) = data_folder(&format!("landmarks/test/{class}")) else { return };
        let mut of_class: Vec<PathBuf> =
            std::fs::read_dir(class).unwrap().map(|entry| entry.unwrap().path()).collect();
        of_class.sort();
        photos.extend(of_class.into_iter().take(most).map(|photo| (photo, landmark)));
    }
    let library = ReviewedLibrary::start_with(&photos);
    std::fs::write(library.path("IMG_1203.jpg"), b"no photo any more").unwrap();
    for (name, look) in [
        ("desktop", Look::DESKTOP),
        ("desktop-dark", Look { dark: true, ..Look::DESKTOP }),
        ("phone", Look::PHONE),
        ("phone-dark", Look { dark: true, ..Look::PHONE }),
    ] {
        let Some(browser) = Browser::start(look) else { return };
        let eiffel = (0..3).map(|group| format!("groups/{group}")).find(|group| {
            browser.go(&library.url(group));
            browser.text("h1") == "Eiffel Tower"
        });
        let eiffel = eiffel.unwrap();
        browser.press("\u{E015}");
        browser.press(if name == "desktop" { "y" } else { "n" });
        browser.wait("a decision", || (browser.all(".undo button").len() == 1).then_some(()));
        for (page, address) in
            [("all", String::new()), ("group", eiffel.clone()), ("photo", format!("{eiffel}/photos/1"))]
        {
            browser.go(&library.url(&address));
            browser.script("for (const picture of document.images) picture.loading = 'eager'");
            browser.wait("all pictures", || {
                let done = browser.script("return [...document.images].every((picture) => picture.complete)");
                (done == json!(true)).then_some(())
            });
            browser.screenshot(&folder.join(format!("review-{name}-{page}.png")));
        }
    }
}
