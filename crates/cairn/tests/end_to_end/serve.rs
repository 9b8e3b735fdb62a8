//! `cairn serve` as people start, ask and stop it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};
use std::time::Duration;

use cairn_synthetic::{Kind, draw};
use serde_json::Value;

use crate::sandbox::{CLASSES, Sandbox};

/// A server, asked over its socket. It is ended with the test.
struct Served {
    process: Child,
    address: String,
    log: BufReader<ChildStderr>,
}

impl Served {
    fn start(sandbox: &Sandbox, arguments: &str) -> Self {
        let mut process = sandbox.spawn(&format!("serve --address 127.0.0.1:0 --log json {arguments}"));
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let line = event(&mut log, "listening");
        Self { process, address: line["address"].as_str().unwrap().to_owned(), log }
    }

    /// The status and the body of an answer.
    fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "{head}\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn json(&self, head: &str, body: &[u8]) -> Value {
        let (status, text) = self.ask(head, body);
        assert_eq!(status, 200, "{head}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn post(&self, path: &str, photo: &[u8]) -> Value {
        self.json(&format!("POST {path} HTTP/1.1"), photo)
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let kill = std::process::Command::new("kill").args([name, &self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The next line of the log that tells of this.
fn event(log: &mut BufReader<ChildStderr>, name: &str) -> Value {
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the server ended before {name}");
        let Ok(event) = serde_json::from_str::<Value>(&line) else { panic!("{line}") };
        if event["event"] == name {
            return event;
        }
    }
}

#[test]
#[cfg(unix)]
fn the_server_and_the_command_answer_alike_by_one_view_and_by_many() {
    let sandbox = Sandbox::trained();
    for views in ["", "--tta none", "--tta ten-crop --precision f32"] {
        let served = Served::start(&sandbox, &format!("-m run {views}"));
        for photo in ["photos/test/03.Dome/0000.jpg", "photos/test/11.Windmill/0001.jpg"] {
            let command = sandbox.cairn(&format!("predict {photo} -m run {views} --format json"));
            let mut row = command.assert_status(0).json()[0].clone();
            let fields = row.as_object_mut().unwrap();
            // Of the file, and named once for all rows.
            for of_command in ["bytes", "modified"] {
                assert!(fields.remove(of_command).is_some(), "{of_command}");
            }
            let model = fields.remove("model").unwrap();
            let answer = served.post(&format!("/v1/predict?name={photo}"), &sandbox.read(photo));
            assert_eq!(answer["predictions"][0], row, "{photo} {views}");
            assert_eq!(answer["model"]["digest"], model["digest"]);
            assert_eq!(answer["model"]["name"], model["name"]);
        }
    }
}

#[test]
#[cfg(unix)]
fn a_server_reloads_at_a_hangup_and_ends_well_at_a_signal() {
    let sandbox = Sandbox::trained();
    let mut served = Served::start(&sandbox, "-m run");
    served.signal("-HUP");
    event(&mut served.log, "reloaded");
    sandbox.file("run/best.safetensors", b"no model");
    served.signal("-HUP");
    let failed = event(&mut served.log, "reload_failed");
    assert!(failed["error"].as_str().unwrap().contains("best.safetensors"), "{failed}");
    served.post("/v1/predict", &sandbox.read("photos/test/03.Dome/0000.jpg"));
    served.signal("-TERM");
    event(&mut served.log, "stopping");
    event(&mut served.log, "stopped");
    assert_eq!(served.process.wait().unwrap().code(), Some(0));
}

#[test]
#[cfg(unix)]
fn corrections_are_photos_to_train_on() {
    let sandbox = Sandbox::trained();
    let served = Served::start(&sandbox, "-m run --feedback kept");
    for class in CLASSES {
        for number in 0..4 {
            let photo = sandbox.read(&format!("photos/train/{class}/000{number}.jpg"));
            served.post(&format!("/v1/feedback?class={class}&name=a.jpg"), &photo);
        }
    }
    for seed in 0..6 {
        draw(Kind::Castle, seed, 48).save_png(sandbox.path("castle.png")).unwrap();
        let castle = sandbox.read("castle.png");
        let query = if seed < 4 { "class=Our+Castle" } else { "none=1" };
        served.post(&format!("/v1/feedback?{query}"), &castle);
    }
    sandbox.cairn("train kept --recipe tiny.toml --out corrected --epochs 1").assert_status(0);
    sandbox
        .cairn("calibrate run --data photos --distractors kept/other --out known.safetensors")
        .assert_status(0);
    let learn = "learn known.safetensors --name Castle kept/train/Our_Castle --out learned.safetensors";
    sandbox.cairn(learn).assert_status(0);
}

#[test]
#[cfg(unix)]
fn settings_come_from_flags_and_from_the_environment() {
    let sandbox = Sandbox::trained();
    sandbox.file("keys.txt", b"first\n\nsecond\n");
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_cairn"));
    process.args(["serve", "--queue", "99"]).current_dir(sandbox.path(""));
    process.envs([
        ("CAIRN_MODEL", "run"),
        ("CAIRN_ADDRESS", "127.0.0.1:0"),
        ("CAIRN_LOG", "json"),
        ("CAIRN_QUEUE", "98"),
        ("CAIRN_MAX_PHOTO", "1MiB"),
        ("CAIRN_DEADLINE", "7"),
        ("CAIRN_KEY", "third,fourth"),
        ("CAIRN_KEY_FILE", "keys.txt"),
        ("CAIRN_BASE_PATH", "/cairn"),
        ("CAIRN_NO_PAGE", "true"),
    ]);
    let mut process = process.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let address = event(&mut log, "listening")["address"].as_str().unwrap().to_owned();
    let served = Served { process, address, log };
    for key in ["first", "second", "third", "fourth"] {
        let model = served.json(&format!("GET /cairn/v1/model HTTP/1.1\r\nx-api-key: {key}"), b"");
        let limits = &model["limits"];
        assert_eq!(limits["queue"], 99, "a flag goes before the environment");
        assert_eq!(limits["max_photo"], 1 << 20);
        assert_eq!(limits["deadline_seconds"], 7.0);
    }
    assert_eq!(served.ask("GET /cairn/v1/model HTTP/1.1", b"").0, 401);
    let root = served.ask("GET /cairn/ HTTP/1.1\r\nx-api-key: first", b"").0;
    assert_eq!(root, 405, "no page, but photos of other services' clients");
    drop(served);
    for variable in ["CAIRN_THRESHOLD", "CAIRN_TTA", "CAIRN_FEEDBACK", "CAIRN_RELOAD", "CAIRN_ALLOW_URLS"] {
        sandbox.cairn("serve --help").assert_stdout_has(variable);
    }
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let sandbox = Sandbox::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (arguments, said) in [
        (format!("serve --address {address}"), "is another server running?"),
        ("serve --max-photos 300".to_owned(), "--queue"),
        ("serve --workers 0".to_owned(), "--workers 0"),
        ("serve --max-memory 300MiB".to_owned(), "--max-request"),
        ("serve --max-photo 5parsecs".to_owned(), "32MiB"),
        ("serve --base-path cairn/".to_owned(), "/cairn"),
        ("serve --deadline 0".to_owned(), "seconds"),
        ("serve --key-file nowhere.txt".to_owned(), "nowhere.txt"),
        ("serve -m nowhere".to_owned(), "nowhere"),
        ("serve --index nowhere".to_owned(), "--index"),
        ("serve --feedback tiny.toml".to_owned(), "--feedback"),
    ] {
        sandbox.cairn(&arguments).assert_status(1).assert_stderr_has(said);
    }
}
