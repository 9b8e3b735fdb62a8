//! Where landmarks stand, in what `predict` and `suggest` print.

use crate::sandbox::Sandbox;

const PHOTO: &str = "photos/test/08.Lighthouse/0000.jpg";

/// Places for three of the four drawn classes.
const OWN_PLACES: &str = r#"
[[place]]
name = "Lighthouse of Alexandria"
takes_the = true
also = ["Lighthouse"]
kind = "lighthouse"
latitude = 31.2139
longitude = 29.8856
locality = "Alexandria"
country = "Egypt"
country_code = "EG"

[[place]]
name = "Dome"
kind = "mountain"
latitude = -45.5
longitude = -72.25
locality = "Aysén"
country = "Chile"
country_code = "CL"
wikidata = "Q1"

[[place]]
name = "Windmill"
kind = "mill"
latitude = 0.0
longitude = 0.0
locality = "Gulf of Guinea"
country = "Nowhere"
country_code = "ZZ"
"#;

#[test]
fn a_file_of_places_is_laid_over_the_builtin_ones_and_every_format_shows_it() {
    let sandbox = Sandbox::trained();
    sandbox.file("own.toml", OWN_PLACES.as_bytes());
    let predict = |format: &str| {
        let run = sandbox.cairn(&format!("predict {PHOTO} -m run -k 4 --places own.toml --format {format}"));
        run.assert_status(0);
        run
    };
    let json = predict("json").json();
    for landmark in json[0]["landmarks"].as_array().unwrap() {
        let place = &landmark["place"];
        match landmark["class"].as_str().unwrap() {
            "00.Pyramid" => assert!(place.is_null(), "{landmark}"),
            "03.Dome" => {
                assert_eq!((&place["latitude"], &place["wikidata"]), (&(-45.5).into(), &"Q1".into()));
            }
            "08.Lighthouse" => assert_eq!(place["name"], "Lighthouse of Alexandria"),
            _ => assert_eq!(place["locality"], "Gulf of Guinea"),
        }
    }
    predict("table")
        .assert_stdout_has("%  Lighthouse of Alexandria, Alexandria, Egypt (31.2139 N, 29.8856 E)\n")
        .assert_stdout_has("%  Pyramid\n");
    predict("csv")
        .assert_stdout_has(",Aysén,Chile,CL,-45.5,-72.25,Q1,\n")
        .assert_stdout_has(",Alexandria,Egypt,EG,31.2139,29.8856,,\n");
}

#[test]
fn suggest_calls_landmarks_by_their_places_and_links_to_a_map() {
    let sandbox = Sandbox::trained();
    // Whichever three of the four are likeliest, two at least have a place.
    sandbox.file("own.toml", OWN_PLACES.as_bytes());
    let suggest = sandbox.cairn(&format!("suggest {PHOTO} -m run --places own.toml --threshold 0"));
    suggest.assert_status(0).assert_stdout_has("https://www.openstreetmap.org/?mlat=");
    let question = suggest.stdout.lines().next().unwrap();
    assert!(question.starts_with("Is this a picture of "), "{question}");
    assert!(!question.contains("the Dome") && !question.contains("the Windmill"), "{question}");
}

#[test]
fn a_file_that_holds_no_places_says_why() {
    let sandbox = Sandbox::trained();
    for (places, reasons) in
        [("nowhere.toml", "nowhere.toml: cannot be read"), ("tiny.toml", "not a list of places")]
    {
        for verb in ["predict", "suggest"] {
            let run = sandbox.cairn(&format!("{verb} {PHOTO} -m run --places {places}"));
            run.assert_status(1).assert_stderr_has(reasons);
            assert_eq!(run.stdout, "");
        }
    }
}
