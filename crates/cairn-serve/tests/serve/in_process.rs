//! Every route, without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use cairn_model::TestViews;
use cairn_model::rows::{CSV_COLUMNS, Detail};
use cairn_serve::{Key, Limits, ModelSource, ServeConfig, routes, start};
use serde_json::{Value, json};

use crate::support::*;

/// The row that the library makes of a photo, as JSON.
fn expected(source: &FileSource, width: u32, name: &str) -> Value {
    let (model, identity) = source.open().unwrap();
    let prediction = model.predict(cairn_model::PhotoSource::bytes(jpeg(width).to_vec(), name), 3).unwrap();
    let row = cairn_model::rows::Row {
        photo: name.to_owned(),
        outcome: cairn_model::rows::RowOutcome::Prediction(&prediction),
        camera: None,
        stamp: None,
        model: Some(&identity),
    };
    serde_json::from_str(&row.json(Detail::Whole).unwrap()).unwrap()
}

fn without_model(mut row: Value) -> Value {
    row.as_object_mut().unwrap().remove("model");
    row
}

#[tokio::test]
async fn answers_are_those_of_the_library_bit_for_bit_by_one_view_and_by_many() {
    for views in [TestViews::One, TestViews::SixCrop] {
        let source = FileSource { path: shipped(), views };
        let state = start(config(), &source, Arc::new(cairn_serve::Silent)).unwrap();
        let answer = ask(&state, post("/v1/predict?name=a.jpg", jpeg(700))).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let timing = answer.headers()["server-timing"].to_str().unwrap().to_owned();
        assert!(timing.contains("decode;dur=") && timing.contains("inference;dur="), "{timing}");
        let answer = json_of(answer).await;
        let row = expected(&source, 700, "a.jpg");
        assert_eq!(answer["predictions"][0], without_model(row.clone()), "{views:?}, alone on all threads");
        assert_eq!(answer["model"]["digest"], row["model"]["digest"]);
        // Several at once are looked at by one thread each.
        let photos: Vec<_> = (0..6).map(|_| ("a.jpg", jpeg(700))).collect();
        let answer = json_of(ask(&state, post_as("/v1/predict", FORM, form(&photos, &[]))).await).await;
        let rows = answer["predictions"].as_array().unwrap();
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|found| *found == without_model(row.clone())), "{views:?}, among others");
    }
}

#[tokio::test]
async fn a_bad_photo_among_many_is_an_entry_and_alone_it_is_an_error() {
    let state = state(config());
    let photos = [("a.jpg", jpeg(300)), ("b.jpg", "no photo".into()), ("c.jpg", jpeg(200))];
    let answer = ask(&state, post_as("/v1/predict", FORM, form(&photos, &[]))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let rows = json_of(answer).await["predictions"].clone();
    assert_eq!(rows[0]["photo"], "a.jpg");
    assert!(rows[0]["landmarks"][0]["probability"].is_number() && rows[2]["landmarks"].is_array());
    assert_eq!(rows[1]["photo"], "b.jpg");
    let error = rows[1]["error"].as_str().unwrap();
    assert!(error.contains("not a photo") && !error.contains("b.jpg"), "{error}");
    assert!(rows[1].get("landmarks").is_none());
    let (status, kind, _) = error_of(ask(&state, post("/v1/predict", "no photo")).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "format"));
    let truncated = jpeg(300).slice(..2000);
    let (status, kind, text) = error_of(ask(&state, post("/v1/predict?name=x", truncated)).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "photo"), "{text}");
    for (outcome, count) in [("landmark", 0.0), ("bad", 3.0), ("dropped", 0.0)] {
        let found = metric(&state, &format!("cairn_photos_total{{outcome=\"{outcome}\"}}")).await;
        assert!(found == count || outcome == "landmark", "{outcome}: {found}");
    }
}

#[tokio::test]
async fn json_takes_base64_as_clients_write_it() {
    let state = state(config());
    let data = jpeg(200);
    let photos = json!({"photos": [
        {"name": "standard", "data": STANDARD.encode(&data)},
        {"data": URL_SAFE_NO_PAD.encode(&data)},
        {"name": "url", "data": format!("data:image/jpeg;base64,{}", STANDARD.encode(&data))},
        {"name": "broken", "data": "!!!"},
        {"name": "none"},
        {"name": "far", "url": "http://169.254.169.254/latest"},
    ], "unknown": 1});
    let answer = ask(&state, post_as("/v1/predict", "application/json", photos.to_string())).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let rows = json_of(answer).await["predictions"].clone();
    let first = &rows[0]["landmarks"];
    assert!(first.is_array() && *first == rows[1]["landmarks"] && *first == rows[2]["landmarks"]);
    assert_eq!((&rows[0]["photo"], &rows[1]["photo"]), (&json!("standard"), &json!("photo-2")));
    assert!(rows[3]["error"].as_str().unwrap().contains("base64"));
    assert!(rows[4]["error"].as_str().unwrap().contains("`data`"));
    assert!(rows[5]["error"].as_str().unwrap().contains("--allow-urls"));
    for wrong in ["", "{", "[]", r#"{"photos": 1}"#, r#"{"photos": []}"#, r#"{"photos": [{"data": 3}]}"#] {
        let (status, kind, _) =
            error_of(ask(&state, post_as("/v1/predict", "application/json", wrong)).await).await;
        assert_eq!((status, kind.as_str()), (StatusCode::BAD_REQUEST, "validation"), "{wrong}");
    }
}

#[tokio::test]
async fn the_answer_is_in_the_format_that_is_accepted() {
    let state = state(config());
    let photos = [("a.jpg", jpeg(300)), ("b.jpg", "no photo".into())];
    let predict = |accept: &str| {
        let request = post_as("/v1/predict?k=2", FORM, form(&photos, &[]));
        ask(&state, accepting(request, accept))
    };
    let content_type = |answer: &axum::response::Response| {
        answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    };

    let answer = predict("application/x-ndjson").await;
    assert_eq!(content_type(&answer), "application/x-ndjson");
    let lines = text_of(answer).await;
    let mut rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["index"].as_u64());
    assert_eq!((rows.len(), &rows[0]["photo"], &rows[1]["photo"]), (2, &json!("a.jpg"), &json!("b.jpg")));
    assert!(rows[0]["model"]["digest"].is_string() && rows[1]["error"].is_string());
    assert_eq!(rows[0]["landmarks"].as_array().unwrap().len(), 2, "k=2");

    let answer = predict("text/csv").await;
    assert_eq!(content_type(&answer), "text/csv; charset=utf-8");
    let csv = text_of(answer).await;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], CSV_COLUMNS.join(","));
    assert_eq!(lines.len(), 1 + 2 + 1, "two landmarks of the first photo, an error of the second: {csv}");

    let answer = predict("application/geo+json").await;
    assert_eq!(content_type(&answer), "application/geo+json");
    let features = json_of(answer).await;
    assert_eq!(
        (&features["type"], features["features"].as_array().unwrap().len()),
        (&json!("FeatureCollection"), 2)
    );
    assert_eq!(features["features"][1]["geometry"], Value::Null);

    assert_eq!(content_type(&predict("*/*").await), "application/json");
    let (status, kind, _) = error_of(predict("image/png").await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::NOT_ACCEPTABLE, "not_acceptable"));
}

#[tokio::test]
async fn a_landmark_on_a_map_stands_where_it_stands() {
    let state = state(config());
    let request = accepting(post("/v1/predict?threshold=-1000", jpeg(400)), "application/geo+json");
    let features = json_of(ask(&state, request).await).await;
    let feature = &features["features"][0];
    let row = json_of(ask(&state, post("/v1/predict?threshold=-1000", jpeg(400))).await).await;
    let landmark = &row["predictions"][0]["landmarks"][0];
    assert_eq!(row["predictions"][0]["is_landmark"], true);
    let place = &landmark["place"];
    assert_eq!(feature["geometry"]["coordinates"], json!([place["longitude"], place["latitude"]]));
    assert_eq!(feature["properties"]["class"], landmark["class"]);
}

#[tokio::test]
async fn options_are_those_of_the_query_and_wrong_ones_are_refused() {
    let state = state(config());
    let row = |query: &str| {
        let request = post(&format!("/v1/predict?{query}"), jpeg(300));
        let state = state.clone();
        async move { json_of(ask(&state, request).await).await["predictions"][0].clone() }
    };
    assert_eq!(row("k=5").await["landmarks"].as_array().unwrap().len(), 5);
    assert_eq!(row("threshold=1e9").await["is_landmark"], false);
    let explained = row("explain=1").await;
    let png = explained["heat_map"]["png"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    assert!(STANDARD.decode(png).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(explained["heat_map"]["class"], explained["landmarks"][0]["class"]);
    assert!(row("explain=0").await.get("heat_map").is_none());
    assert!(row("k=1").await.get("set").is_none());
    let set = row("k=1&coverage=0.9").await["set"].clone();
    assert_eq!(set["coverage"], 0.9);
    assert!(!set["landmarks"].as_array().unwrap().is_empty());
    let csv = accepting(post("/v1/predict?coverage=0.9", jpeg(300)), "text/csv");
    assert_eq!(error_of(ask(&state, csv).await).await.0, StatusCode::BAD_REQUEST);
    for query in ["k=0", "k=-1", "k=x", "threshold=x", "explain=magic", "coverage=1.5", "coverage=x"] {
        let (status, kind, text) =
            error_of(ask(&state, post(&format!("/v1/predict?{query}"), jpeg(50))).await).await;
        assert_eq!((status, kind.as_str()), (StatusCode::BAD_REQUEST, "validation"), "{query}: {text}");
    }
}

#[tokio::test]
async fn a_heat_map_is_a_picture_or_numbers() {
    let state = state(config());
    let answer = ask(&state, post("/v1/explain?class=Petra&method=hirescam", jpeg(500))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/png");
    assert!(answer.headers()["x-cairn-class"].to_str().unwrap().ends_with("Petra"));
    assert!(bytes_of(answer).await.starts_with(b"\x89PNG"));
    let answer = ask(&state, accepting(post("/v1/explain", jpeg(500)), "application/x-npy")).await;
    assert!(bytes_of(answer).await.starts_with(b"\x93NUMPY"));
    for (path, status) in [
        ("/v1/explain?class=Nowhere", StatusCode::BAD_REQUEST),
        ("/v1/explain?method=magic", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(ask(&state, post(path, jpeg(50))).await.status(), status, "{path}");
    }
    let two = form(&[("a", jpeg(50)), ("b", jpeg(50))], &[]);
    assert_eq!(ask(&state, post_as("/v1/explain", FORM, two)).await.status(), StatusCode::BAD_REQUEST);
    let long = photo_of(3000, 10);
    assert_eq!(ask(&state, post("/v1/explain", long)).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

fn photo_of(width: u32, height: u32) -> Bytes {
    cairn_photo::Photo::filled(width, height, [9; 3]).encode(cairn_photo::PictureKind::Png).unwrap().into()
}

#[tokio::test]
async fn photos_are_embedded_and_ranked_by_their_likeness() {
    let folder = tempfile::tempdir().unwrap();
    for width in [100, 300, 500] {
        std::fs::write(folder.path().join(format!("{width}.jpg")), jpeg(width)).unwrap();
    }
    std::fs::write(folder.path().join("broken.jpg"), "no photo").unwrap();
    let with_index = |index| ServeConfig { index: Some(index), ..config() };
    let of_folder = state(with_index(folder.path().to_owned()));
    let answer = json_of(ask(&of_folder, post("/v1/similar?k=2", jpeg(300))).await).await;
    assert_eq!((&answer["among"], &answer["similar"][0]["photo"]), (&json!(3), &json!("300.jpg")));
    assert!(answer["similar"][0]["likeness"].as_f64().unwrap() > 0.9999, "{answer}");
    assert_eq!(answer["similar"].as_array().unwrap().len(), 2);

    // The rows of /v1/embed are an index, too.
    let photos = [("100.jpg", jpeg(100)), ("300.jpg", jpeg(300)), ("bad", "no".into())];
    let request = accepting(post_as("/v1/embed", FORM, form(&photos, &[])), "application/x-ndjson");
    let rows = text_of(ask(&of_folder, request).await).await;
    let file = folder.path().join("index.jsonl");
    std::fs::write(&file, &rows).unwrap();
    let of_file = state(with_index(file.clone()));
    let answer = json_of(ask(&of_file, post("/v1/similar", jpeg(300))).await).await;
    assert_eq!((&answer["among"], &answer["similar"][0]["photo"]), (&json!(2), &json!("300.jpg")));

    let embedding = json_of(ask(&of_file, post("/v1/embed", jpeg(300))).await).await;
    let values: Vec<f64> = embedding["embeddings"][0]["embedding"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect();
    assert!((values.iter().map(|value| value * value).sum::<f64>() - 1.0).abs() < 1e-5);

    let refused = |index| {
        let error = start(with_index(index), &FileSource::quick(), Arc::new(cairn_serve::Silent)).err();
        error.unwrap().to_string()
    };
    std::fs::write(&file, rows.replace("sha256:", "sha256:0")).unwrap();
    assert!(refused(file.clone()).contains("made by the model"));
    std::fs::write(&file, "{}\n").unwrap();
    assert!(refused(file.clone()).contains("line 1"));
    std::fs::write(&file, "\n").unwrap();
    assert!(refused(file).contains("no photo"));
    assert!(refused(folder.path().join("nowhere")).contains("--index"));
    let without = state(config());
    let (status, _, text) = error_of(ask(&without, post("/v1/similar", jpeg(50))).await).await;
    assert!(status == StatusCode::NOT_FOUND && text.contains("--index"));
    assert_eq!(ask(&of_file, post("/v1/similar?k=0", jpeg(50))).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_model_says_what_it_knows_and_how_it_answers() {
    let state = state(config());
    let model = json_of(ask(&state, get("/v1/model")).await).await;
    assert_eq!(
        (&model["name"], &model["classes"], &model["views"]),
        (&json!("model"), &json!(56), &json!("one"))
    );
    assert_eq!((&model["limits"]["queue"], &model["limits"]["workers"]), (&json!(256), &json!(2)));
    assert_eq!(model["limits"]["deadline_seconds"], 30.0);
    assert!(model["threshold"].is_number() && model["sure"].is_number() && model["input_width"].is_number());
    let known = json_of(ask(&state, get("/v1/landmarks")).await).await;
    assert_eq!(known["landmarks"].as_array().unwrap().len(), 56);
    let features = json_of(ask(&state, accepting(get("/v1/landmarks"), "application/geo+json")).await).await;
    assert_eq!(features["features"].as_array().unwrap().len(), 56);
    assert!(features["features"][0]["geometry"]["coordinates"][0].is_number());
}

#[tokio::test]
async fn health_says_that_it_lives_and_ready_that_it_takes_photos() {
    let state = state(config());
    assert_eq!(ask(&state, get("/health")).await.status(), StatusCode::OK);
    for path in ["/ready", "/ping"] {
        assert_eq!(
            ask(&state, get(path)).await.status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "not listening yet"
        );
    }
    let running = Running::with_state;
    let state = tokio::task::spawn_blocking(move || {
        let mut server = running(state);
        let ready = exchange(&mut server.connect(), b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert_eq!(ready.0, 200);
        let state = server.state.clone();
        assert_eq!(server.stop(), 0);
        state
    });
    let state = state.await.unwrap();
    assert_eq!(ask(&state, get("/ready")).await.status(), StatusCode::SERVICE_UNAVAILABLE, "stopped");
}

#[tokio::test]
async fn the_description_is_openapi_and_its_page_needs_nothing_from_elsewhere() {
    let state = state(ServeConfig { base_path: "/cairn".to_owned(), keys: vec![Key::new("k")], ..config() });
    let document = json_of(ask(&state, get("/cairn/openapi.json")).await).await;
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!("/cairn")));
    assert!(document["security"].as_array().unwrap().iter().all(|way| !way.as_object().unwrap().is_empty()));
    let answer = ask(&state, get("/cairn/docs")).await;
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].clone();
    assert_eq!(policy, ask(&state, get("/cairn/")).await.headers()[header::CONTENT_SECURITY_POLICY]);
    let page = text_of(answer).await;
    for route in routes(false).listed() {
        assert!(page.contains(route.path), "{}", route.path);
    }
    assert!(!page.contains("http://") || page.contains("http://127.0.0.1"), "no other host");
    assert!(!page.contains("src=") && !page.contains("https://"));
}

#[tokio::test]
async fn the_documentation_looks_like_the_page_also_where_the_page_is_not_served() {
    // All tags of the head but those that are the page's own.
    let head = |page: &str| -> Vec<String> {
        let head = page.split_once("</head>").unwrap().0;
        let own =
            |tag: &&str| ["title", "/title", "script", "/script"].iter().all(|name| !tag.starts_with(name));
        head.split('<').filter(own).map(str::to_owned).collect()
    };
    let state = state(config());
    let [photos, docs] =
        [text_of(ask(&state, get("/")).await).await, text_of(ask(&state, get("/docs")).await).await];
    assert_eq!(head(&photos), head(&docs));
    assert!(docs.contains("aria-current=\"page\">For programs"), "{docs}");

    let state = self::state(ServeConfig { page: false, ..config() });
    let docs = text_of(ask(&state, get("/docs")).await).await;
    let style =
        docs.split("href=\"").find_map(|rest| rest.split('"').next().filter(|path| path.ends_with(".css")));
    let style = ask(&state, get(&format!("/{}", style.unwrap()))).await;
    assert_eq!(
        (style.status(), &style.headers()[header::CONTENT_TYPE]),
        (StatusCode::OK, &"text/css; charset=utf-8".parse().unwrap())
    );
    assert!(!docs.contains("href=\"./\""), "there is no page to go to: {docs}");
}

#[tokio::test]
async fn metrics_are_in_prometheus_format_and_count_what_happened() {
    let state = state(config());
    let answer = ask(&state, post("/v1/predict", jpeg(200))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    ask(&state, get("/nowhere/at/all")).await;
    ask(&state, post("/v1/predict", "bad")).await;
    let text = text_of(ask(&state, get("/metrics")).await).await;
    for line in [
        "cairn_requests_total{route=\"/v1/predict\",status=\"200\"} 1",
        "cairn_requests_total{route=\"/v1/predict\",status=\"415\"} 1",
        "cairn_requests_total{route=\"none\",status=\"404\"} 1",
        "cairn_rejected_total{reason=\"format\"} 1",
        "cairn_photos_total{outcome=\"bad\"} 1",
        "cairn_photos_total{outcome=\"dropped\"} 0",
        "cairn_decode_duration_seconds_count 1",
        "cairn_inference_duration_seconds_count 1",
        "cairn_photo_bytes_count 2",
        "cairn_queue_photos 0",
        "cairn_in_flight_bytes 0",
        "cairn_model_reloads_total{outcome=\"failure\"} 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.contains("cairn_model_info{name=\"model\",network=\"resnet18-small\",hash=\"sha256:"));
    assert!(text.contains("process_resident_memory_bytes ") && text.contains("process_start_time_seconds "));
    assert!(!text.contains("nowhere"), "paths as they were sent are in no metric");
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    let state = state(config());
    ask(&state, post("/v1/predict", jpeg(50))).await;
    let text = text_of(ask(&state, get("/metrics")).await).await;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let words =
                target["expr"].as_str().unwrap().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let metrics = words.filter(|word| word.starts_with("cairn_") || word.starts_with("process_"));
            names.extend(metrics.map(str::to_owned));
        }
    }
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let found = text.lines().any(|line| line.starts_with(&name) && !line.starts_with('#'));
        assert!(found, "{name}");
    }
}

#[tokio::test]
async fn every_route_but_the_open_ones_wants_a_key() {
    let state = state(ServeConfig { keys: vec![Key::new("first"), Key::new("second")], ..config() });
    for route in routes(true).listed() {
        let path = route.path.replace(['{', '}'], "x");
        let request = |key: Option<&str>| {
            let mut request = if route.method == Method::GET { get(&path) } else { post(&path, "") };
            if let Some(key) = key {
                let value = format!("Bearer {key}").parse().unwrap();
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
            request
        };
        for wrong in [None, Some("third")] {
            let answer = ask(&state, request(wrong)).await;
            // As Google does, its clients are refused by 403.
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status());
            assert_eq!(refused, !route.open, "{} {wrong:?}", route.path);
            assert!(!refused || answer.headers()[header::WWW_AUTHENTICATE] == "Bearer");
        }
        let answer = ask(&state, request(Some("second"))).await;
        assert!(
            ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status()),
            "{}",
            route.path
        );
    }
    assert_eq!(ask(&state, post("/v1/predict?key=first", jpeg(50))).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_prefix_is_before_every_path_and_without_its_slash_leads_to_the_page() {
    let state = state(ServeConfig { base_path: "/photos/cairn".to_owned(), ..config() });
    assert_eq!(ask(&state, post("/photos/cairn/v1/predict", jpeg(50))).await.status(), StatusCode::OK);
    assert_eq!(ask(&state, post("/v1/predict", jpeg(50))).await.status(), StatusCode::NOT_FOUND);
    let answer = ask(&state, get("/photos/cairn")).await;
    assert!(answer.status().is_redirection(), "{}", answer.status());
    assert_eq!(answer.headers()[header::LOCATION], "/photos/cairn/");
    let text = text_of(ask(&state, get("/photos/cairn/metrics")).await).await;
    assert!(text.contains("route=\"/v1/predict\""), "routes are named without the prefix: {text}");
}

#[tokio::test]
async fn other_hosts_and_methods_and_paths_are_refused_in_json() {
    let state = state(config());
    let mut request = get("/v1/model");
    request.headers_mut().insert(header::HOST, "evil.example.org".parse().unwrap());
    let (status, kind, _) = error_of(ask(&state, request).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::FORBIDDEN, "forbidden"));
    let (status, kind, _) = error_of(ask(&state, get("/v1/predict")).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method"));
    let (status, kind, _) = error_of(ask(&state, get("/v2")).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let (status, kind, text) = error_of(ask(&state, post_as("/v1/predict", "text/plain", "x")).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "format"));
    assert!(text.contains("multipart/form-data"), "{text}");
}

#[tokio::test]
async fn pages_of_allowed_origins_alone_may_read_answers() {
    let with_origin = |method: Method, origin: &str| {
        let mut request = post("/v1/predict", jpeg(50));
        *request.method_mut() = method;
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        request.headers_mut().insert("access-control-request-method", "POST".parse().unwrap());
        request
    };
    let allowed = "https://app.example.org";
    let open = state(ServeConfig { cors: vec![allowed.to_owned()], keys: vec![Key::new("k")], ..config() });
    let answer = ask(&open, with_origin(Method::OPTIONS, allowed)).await;
    assert_eq!(answer.status(), StatusCode::OK, "a browser asks before it has the key");
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], allowed);
    let answer = ask(&open, with_origin(Method::OPTIONS, "https://evil.example.org")).await;
    assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let answer = ask(&state(config()), with_origin(Method::POST, allowed)).await;
    assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "none by default");
}

#[tokio::test]
async fn what_is_larger_than_a_limit_is_refused_by_the_limits_name() {
    let limits = Limits {
        max_photo: 20_000,
        max_request: 100_000,
        max_photos: 2,
        max_memory: 1 << 20,
        ..config().limits
    };
    let state = state(ServeConfig { limits, ..config() });
    let zeros = |count: usize| vec![0_u8; count];
    let json = |count: usize| json!({"photos": vec![json!({"data": ""}); count]}).to_string();
    let refusals = [
        (post("/v1/predict", zeros(20_001)), "--max-photo)"),
        (post("/v1/predict", zeros(100_001)), "--max-request"),
        (post_as("/v1/predict", FORM, form(&[("a", zeros(20_001).into())], &[])), "--max-photo)"),
        (
            post_as("/v1/predict", FORM, form(&[("a", jpeg(9)), ("b", jpeg(9)), ("c", jpeg(9))], &[])),
            "--max-photos",
        ),
        (post_as("/v1/predict", "application/json", json(3)), "--max-photos"),
        (post_as("/v1/predict", FORM, form(&[("a", jpeg(9))], &[("x", &"y".repeat(70_000))])), "field `x`"),
    ];
    for (request, flag) in refusals {
        let (status, kind, text) = error_of(ask(&state, request).await).await;
        assert_eq!((status, kind.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"), "{flag}: {text}");
        assert!(text.contains(flag), "{flag}: {text}");
    }
    let within = STANDARD.encode(zeros(20_001));
    let photos = json!({"photos": [{"data": within}, {"data": STANDARD.encode(jpeg(50))}]}).to_string();
    let rows = json_of(ask(&state, post_as("/v1/predict", "application/json", photos)).await).await;
    assert!(rows["predictions"][0]["error"].as_str().unwrap().contains("--max-photo)"), "{rows}");
    assert!(rows["predictions"][1]["landmarks"].is_array(), "{rows}");
    assert_eq!(metric(&state, "cairn_in_flight_bytes").await, 0.0);
}

#[tokio::test]
async fn a_body_without_a_length_that_could_never_fit_is_too_large_and_not_an_overload() {
    let state = state(config());
    // Small chunks take more memory than they are long.
    let chunks = (0..8300).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1000])));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let (status, kind, text) = error_of(ask(&state, post("/v1/predict", body)).await).await;
    assert_eq!((status, kind.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"), "{text}");
    assert!(text.contains("--max-memory"), "{text}");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_waited_for() {
    let limits = Limits { deadline: Duration::from_nanos(1), ..config().limits };
    let state = state(ServeConfig { limits, ..config() });
    let answer = ask(&state, post("/v1/predict", jpeg(300))).await;
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    let (status, kind, text) = error_of(answer).await;
    assert_eq!((status, kind.as_str()), (StatusCode::TOO_MANY_REQUESTS, "overloaded"));
    assert!(text.contains("--deadline"), "{text}");
    let two = form(&[("a", jpeg(50)), ("b", jpeg(50))], &[]);
    let answer = ask(&state, post_as("/v1/predict", FORM, two)).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "not one was answered");
    assert_eq!(metric(&state, "cairn_photos_total{outcome=\"dropped\"}").await, 3.0);
}

#[tokio::test]
async fn a_request_is_told_of_by_its_id_and_without_the_names_of_its_photos() {
    for log_names in [false, true] {
        let log = Arc::new(Remembered::default());
        let observer = Arc::<Remembered>::clone(&log);
        let state = start(ServeConfig { log_names, ..config() }, &FileSource::quick(), observer).unwrap();
        let mut request = post("/v1/predict?name=holiday.jpg&key=secret", jpeg(50));
        request.headers_mut().insert("x-request-id", "my-id-1".parse().unwrap());
        let answer = ask(&state, request).await;
        assert_eq!(answer.headers()["x-request-id"], "my-id-1");
        let answer = ask(&state, post("/v1/predict", "bad")).await;
        assert!(!answer.headers()["x-request-id"].is_empty());
        let lines = log.lines();
        let first: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&first["event"], &first["id"]), (&json!("request"), &json!("my-id-1")));
        assert_eq!((&first["route"], &first["status"]), (&json!("/v1/predict"), &json!(200)));
        assert_eq!((&first["photos"], &first["bytes"]), (&json!(1), &json!(jpeg(50).len())));
        assert_eq!(first.get("names").is_some(), log_names);
        assert_eq!(lines[0].contains("holiday"), log_names, "{}", lines[0]);
        assert!(!lines.concat().contains("secret"));
        assert!(lines[1].contains("\"error_type\":\"format\""), "{}", lines[1]);
    }
}

#[tokio::test]
async fn corrections_are_kept_where_cairn_train_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let feedback =
        |max_feedback| ServeConfig { feedback: Some(folder.path().join("kept")), max_feedback, ..config() };
    let open = state(feedback(1 << 20));
    let send = |fields: &'static [(&'static str, &'static str)], width| {
        let request = post_as("/v1/feedback", FORM, form(&[("../../a.jpg", jpeg(width))], fields));
        ask(&open, request)
    };
    let kept = json_of(send(&[("class", "the Eiffel Tower")], 100).await).await;
    assert_eq!(kept["class"], "12.Eiffel_Tower", "a name that the model knows is its class folder: {kept}");
    let file = folder.path().join("kept").join(kept["file"].as_str().unwrap());
    assert_eq!(std::fs::read(file).unwrap(), jpeg(100));
    let kept = json_of(send(&[("class", "../Our Mill")], 101).await).await;
    assert!(kept["file"].as_str().unwrap().starts_with("train/Our_Mill/"), "{kept}");
    let kept = json_of(send(&[("none", "1")], 102).await).await;
    assert!(kept["file"].as_str().unwrap().starts_with("other/") && kept["class"].is_null(), "{kept}");
    let answer = ask(&open, post("/v1/feedback?class=Petra", jpeg(103))).await;
    assert_eq!(answer.status(), StatusCode::OK, "the photo as body, the rest in the query");
    let list = std::fs::read_to_string(folder.path().join("kept/feedback.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 4);
    assert!(!folder.path().join("a.jpg").exists());

    assert_eq!(send(&[], 100).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(send(&[("class", "///")], 100).await.status(), StatusCode::BAD_REQUEST);
    let bad = post("/v1/feedback?none=1", "no photo");
    assert_eq!(ask(&open, bad).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "nothing to learn from");
    let mut foreign = post("/v1/feedback?none=1", jpeg(100));
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(ask(&open, foreign).await.status(), StatusCode::FORBIDDEN);
    let full = state(feedback(10));
    assert_eq!(
        ask(&full, post("/v1/feedback?none=1", jpeg(200))).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let closed = state(config());
    assert_eq!(ask(&closed, post("/v1/feedback?none=1", jpeg(100))).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(std::fs::read_to_string(folder.path().join("kept/feedback.jsonl")).unwrap(), list);
}

#[tokio::test]
async fn a_photo_is_answered_before_the_rest_of_a_long_list_that_came_first() {
    let limits = Limits { max_batch: 2, workers: 1, max_photos: 60, ..config().limits };
    let state = state(ServeConfig { limits, ..config() });
    let photos: Vec<_> = (0..60).map(|_| ("a", jpeg(250))).collect();
    let list = tokio::spawn({
        let (state, body) = (state.clone(), form(&photos, &[]));
        async move { ask(&state, post_as("/v1/predict", FORM, body)).await.status() }
    });
    while metric(&state, "cairn_queue_photos").await < 40.0 && !list.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(ask(&state, post("/v1/predict", jpeg(250))).await.status(), StatusCode::OK);
    assert!(metric(&state, "cairn_queue_photos").await > 10.0, "much of the list is still waiting");
    assert_eq!(list.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn a_row_of_an_answer_is_the_row_of_cairn_predict() {
    let state = state(config());
    let request = accepting(post("/v1/predict?name=a.jpg", jpeg(300)), "application/x-ndjson");
    let mut line = json_of(ask(&state, request).await).await;
    assert_eq!(line.as_object_mut().unwrap().remove("index"), Some(json!(0)));
    assert_eq!(line, expected(&FileSource::quick(), 300, "a.jpg"));
}
