//! The example page without a server, which runs an exported model by itself.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_model::export::{PhotoElement, WeightFormat, to_onnx};
use cairn_model::{ModelOptions, Precision};
use cairn_serve::ModelSource;
use cairn_synthetic::Kind;
use serde_json::Value;

use crate::axe;
use crate::npm::npm;
use crate::support::{Photos, Shipped};
use crate::webdriver::{Browser, Look};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Serves the page, the runtime and a model from one host, as a plain file server would. The address of the page.
fn serve(runtime: PathBuf, model: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let model = Arc::new(model);
    // Until the tests end.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (runtime, model) = (runtime.clone(), Arc::clone(&model));
            std::thread::spawn(move || drop(answer(stream, &runtime, &model)));
        }
    });
    format!("http://{address}/")
}

fn answer(mut stream: TcpStream, runtime: &Path, model: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
    let page = root().join("examples/in-the-browser");
    let content = match path.as_str() {
        "" => fs::read(page.join("index.html")),
        "model.onnx" => Ok(model.to_vec()),
        path => match path.strip_prefix("onnxruntime-web/") {
            Some(file) => fs::read(runtime.join(file)),
            None => fs::read(page.join(path)),
        },
    };
    let media_type = match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("onnx") => "application/octet-stream",
        _ => "text/html; charset=utf-8",
    };
    let (status, content) = content.map_or(("404 Not Found", Vec::new()), |content| ("200 OK", content));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&content)
}

#[test]
fn the_example_page_names_what_cairn_names_without_a_server() {
    let Some(runtime) = npm("onnxruntime-web/dist") else { return };
    let Some(browser) = Browser::start(Look::DESKTOP) else { return };
    // The page computes in f32.
    let options = ModelOptions { precision: Some(Precision::F32), ..ModelOptions::default() };
    let model = Shipped::AS_IT_IS.open().unwrap().0.with_options(options).unwrap();
    let onnx = to_onnx(&model.parts().exportable(), WeightFormat::F32, PhotoElement::Uint8).unwrap();
    let page = serve(runtime, onnx);
    browser.go(&page);
    browser.find("#photo:not([disabled])");
    axe::check(&browser);
    let photos = Photos::draw();
    // More pixels than are worth reading.
    let large = cairn_synthetic::draw(Kind::Windmill, 7, 240).resized(2600, 1950);
    large.save(photos.path("large.png")).unwrap();
    for name in ["castle.png", "dome.png", "tower.png", "large.png"] {
        browser.choose("#photo", &[photos.path(name)]);
        browser.wait("the names", || browser.text("#state").starts_with("Done").then_some(()));
        let found = browser.script(
            "return [...document.querySelectorAll('#names li')].map((line) => [line.dataset.name, Number(line.dataset.probability)])",
        );
        let expected = model.predict(photos.path(name).as_path(), 3).unwrap();
        for (found, expected) in found.as_array().unwrap().iter().zip(&expected.landmarks) {
            assert_eq!(found[0], Value::from(expected.name.as_str()), "{name}");
            let apart = found[1].as_f64().unwrap() - f64::from(expected.probability.value());
            assert!(apart.abs() < 0.001, "{name}: {found}, {}", expected.probability);
        }
        browser.script(
            "document.querySelector('#state').textContent = ''; document.querySelector('#photo').value = ''",
        );
    }
    let console = browser.console();
    assert!(console.is_empty(), "{}", console.join("\n"));
    let elsewhere = browser.requests_elsewhere(&page);
    assert!(elsewhere.is_empty(), "{}", elsewhere.join("\n"));
}
