//! Chromium, driven as a person would: the part of the WebDriver protocol (W3C) that the tests need, over HTTP.
//!
//! A client of WebDriver is a hundred crates; these are some POSTs of JSON.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_reference::{Need, program, skip};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a page may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// The name of a reference to an element in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser at a time: each takes a core.
static ONE: Mutex<()> = Mutex::new(());

/// How the browser shows pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    pub(crate) script: bool,
}

impl Look {
    pub(crate) const DESKTOP: Look = Look { width: 1280, height: 900, dark: false, script: true };
    pub(crate) const PHONE: Look = Look { width: 390, height: 844, ..Look::DESKTOP };
}

/// A browser with one window and a profile of its own.
pub(crate) struct Browser {
    agent: ureq::Agent,
    driver: Child,
    session: String,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub(crate) struct Element(Value);

impl Browser {
    /// Starts Chromium; `None`, and a line that says so, where there is none.
    pub(crate) fn start(look: Look) -> Option<Browser> {
        let (chromium, chromedriver) = (program(Need::Chromium)?, program(Need::Chromedriver)?);
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((mut driver, port)) = start_driver(&chromedriver) else {
            skip(Need::Chromedriver, format!("{} does not start", chromedriver.display()));
            return None;
        };
        let profile = TempDir::new().unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let agent: ureq::Agent = config.build().into();
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--window-size={},{}", look.width, look.height));
        let mut options = json!({"binary": chromium, "args": arguments, "prefs": {"download.default_directory": profile.path()}});
        if !look.script {
            options["prefs"]["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let logs = json!({"browser": "ALL", "performance": "ALL"});
        let wanted =
            json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs});
        let url = format!("http://127.0.0.1:{port}/session");
        let started = call(&agent, &url, &json!({"capabilities": {"alwaysMatch": wanted}}));
        let session = match started {
            Ok(value) => format!("{url}/{}", value["sessionId"].as_str().unwrap()),
            Err(error) => {
                drop(driver.kill());
                drop(driver.wait());
                skip(Need::Chromium, format!("chromedriver does not start {}: {error}", chromium.display()));
                return None;
            }
        };
        let browser = Browser { agent, driver, session, _profile: profile, _turn: turn };
        let colours = if look.dark { "dark" } else { "light" };
        browser.devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [
                {"name": "prefers-color-scheme", "value": colours},
                // What moves cannot be clicked at.
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]}),
        );
        let phone = look.width < 600;
        let screen =
            json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": phone});
        browser.devtools("Emulation.setDeviceMetricsOverride", screen);
        if phone {
            browser.devtools("Emulation.setTouchEmulationEnabled", json!({"enabled": true}));
        }
        Some(browser)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.session);
        call(&self.agent, &url, &body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("url", json!({"url": url}));
    }

    /// All elements of a CSS selector that are there now.
    pub(crate) fn all(&self, selector: &str) -> Vec<Element> {
        let found = self.post("elements", json!({"using": "css selector", "value": selector}));
        found.as_array().unwrap().iter().cloned().map(Element).collect()
    }

    /// The first element of a CSS selector; waits until it is there.
    pub(crate) fn find(&self, selector: &str) -> Element {
        self.wait(selector, || self.all(selector).into_iter().next())
    }

    /// Waits until so many elements are there.
    pub(crate) fn count(&self, selector: &str, count: usize) -> Vec<Element> {
        self.wait(&format!("{count} of {selector}"), || {
            Some(self.all(selector)).filter(|found| found.len() == count)
        })
    }

    /// Waits for something.
    pub(crate) fn wait<T>(&self, what: &str, mut get: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(got) = get() {
                return got;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{what}: not there after {PATIENCE:?}\n{}",
                self.text("body")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn of(element: &Element) -> &str {
        element.0[ELEMENT].as_str().unwrap()
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{}/click", Self::of(&element)), json!({}));
    }

    /// Types text; into an input of files, their paths.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{}/value", Self::of(&element)), json!({"text": text}));
    }

    /// Chooses files in an input of files.
    pub(crate) fn choose(&self, selector: &str, files: &[PathBuf]) {
        let paths: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        self.type_into(selector, &paths.join("\n"));
    }

    /// The text of an element as it is shown.
    pub(crate) fn text(&self, selector: &str) -> String {
        let Some(element) = self.all(selector).into_iter().next() else { return String::new() };
        let url = format!("{}/element/{}/text", self.session, Self::of(&element));
        get(&self.agent, &url).as_str().unwrap_or_default().to_owned()
    }

    /// Presses keys, one after the other; `\u{E004}` is Tab.
    pub(crate) fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.post("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]}));
    }

    /// Fails if anything of the page's main part, or the page itself, is wider than the window of so many pixels.
    #[track_caller]
    pub(crate) fn check_width(&self, pixels: u32, page: &str) {
        let widest = self.script(
            "return [...document.querySelectorAll('main *')].filter((part) => !part.closest('svg, .unseen'))
               .map((part) => [part.getBoundingClientRect().right, part.outerHTML.slice(0, 80)])
               .reduce((widest, part) => (part[0] > widest[0] ? part : widest))",
        );
        assert!(widest[0].as_f64().unwrap() <= f64::from(pixels), "{page}: {widest}");
        assert_eq!(self.script("return document.documentElement.scrollWidth"), pixels);
    }

    /// What a function with this body returns in the page.
    pub(crate) fn script(&self, body: &str) -> Value {
        self.post("execute/sync", json!({"script": body, "args": []}))
    }

    /// The same of a function that calls its last argument when it is done.
    pub(crate) fn script_async(&self, body: &str) -> Value {
        self.post("timeouts", json!({"script": PATIENCE.as_millis() as u64}));
        self.post("execute/async", json!({"script": body, "args": []}))
    }

    /// The whole page as a PNG file.
    pub(crate) fn screenshot(&self, file: &Path) {
        let size = self.devtools("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let shot =
            self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true, "clip": clip}));
        fs::write(file, STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()).unwrap();
    }

    /// The errors and warnings on the console: of scripts, of policies and of what was not found.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.post("se/log", json!({"type": "browser"}));
        let grave = |entry: &&Value| entry["level"] == "SEVERE" || entry["level"] == "WARNING";
        log.as_array().unwrap().iter().filter(grave).map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses that pages asked for and that do not begin with `own`, since this was asked last.
    pub(crate) fn requests_elsewhere(&self, own: &str) -> Vec<String> {
        let log = self.post("se/log", json!({"type": "performance"}));
        let message = |entry: &Value| serde_json::from_str::<Value>(entry["message"].as_str()?).ok();
        let messages = log.as_array().unwrap().iter().filter_map(message);
        let asked = messages
            .filter(|message| message["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|message| Some(message["message"]["params"]["request"]["url"].as_str()?.to_owned()));
        // Of the page itself, and of the window before there was a page.
        let inner = ["data:", "blob:", "chrome:", "about:"];
        asked
            .filter(|address| {
                !address.starts_with(own) && !inner.iter().any(|scheme| address.starts_with(scheme))
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.agent.delete(&self.session).call());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// Chromedriver on a port that it chooses.
fn start_driver(chromedriver: &Path) -> Option<(Child, u16)> {
    let mut command = Command::new(chromedriver);
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = command.spawn().ok()?;
    let mut lines = BufReader::new(driver.stdout.take()?).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.strip_suffix('.')?.rsplit_once("on port ")?.1.parse().ok());
    // Its later lines are read by nobody, but must not stop it.
    std::thread::spawn(move || lines.for_each(drop));
    match port {
        Some(port) => Some((driver, port)),
        None => {
            drop(driver.kill());
            drop(driver.wait());
            None
        }
    }
}

/// A command's value, or what the driver says against it.
fn call(agent: &ureq::Agent, url: &str, body: &Value) -> Result<Value, String> {
    let request = agent.post(url).content_type("application/json");
    let mut response = request.send(body.to_string()).map_err(|error| error.to_string())?;
    let text = response.body_mut().with_config().limit(256 << 20).read_to_string();
    let mut answer: Value = serde_json::from_str(&text.map_err(|error| error.to_string())?).unwrap();
    if response.status().is_success() {
        Ok(answer["value"].take())
    } else {
        Err(answer["value"]["message"].to_string())
    }
}

fn get(agent: &ureq::Agent, url: &str) -> Value {
    let text = agent.get(url).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["value"].take()
}
