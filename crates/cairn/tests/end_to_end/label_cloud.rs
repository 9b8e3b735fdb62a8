//! `cairn label` with lists, photos and outputs in an object store: a real S3 server.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cairn_reference::python_with;

use crate::label::{LABEL, contents, with_list};
use crate::sandbox::Sandbox;

struct Server {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    /// Without moto in Python the test skips.
    fn start() -> Option<Self> {
        python_with(&["moto", "flask", "boto3"])?;
        let python = std::env::var("CAIRN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/s3_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut server =
            Self { child, input, output: BufReader::new(output).lines(), address: String::new() };
        server.address = server.answer();
        assert!(server.address.starts_with("http://127.0.0.1:"), "{}", server.address);
        Some(server)
    }

    fn answer(&mut self) -> String {
        self.output.next().unwrap().unwrap()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        self.answer()
    }

    fn put(&mut self, name: &str, file: &Path) {
        self.ask(&format!("put {name} {}", file.display()));
    }

    fn objects(&mut self) -> Vec<String> {
        serde_json::from_str(&self.ask("list")).unwrap()
    }

    fn variables(&self) -> [(&str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.address),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "secret-test-key"),
        ]
    }

    /// The objects below `prefix` are the files of the folder `out`.
    #[track_caller]
    fn assert_holds(&mut self, sandbox: &Sandbox, prefix: &str, out: &str) {
        let expected = contents(&sandbox.path(out));
        let names: Vec<String> =
            self.objects().iter().filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect();
        assert_eq!(names, expected.keys().map(|name| name.to_str().unwrap()).collect::<Vec<_>>());
        for (name, content) in expected {
            let file = sandbox.path("downloaded");
            self.ask(&format!("get {prefix}{} {}", name.to_str().unwrap(), file.display()));
            assert!(sandbox.read("downloaded") == content, "{name:?}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is of no use any more, and ends with its input otherwise.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn an_output_in_s3_holds_what_a_folder_would_and_the_same_again_changes_nothing() {
    let Some(mut server) = Server::start() else { return };
    let sandbox = with_list();
    sandbox.cairn(&format!("{LABEL} -o whole")).assert_status(2);
    for attempt in 0..2 {
        let variables = server.variables();
        let run = sandbox.cairn_with(&format!("{LABEL} -o s3://photos/some/labels"), &variables);
        run.assert_status(2).assert_stderr_has("s3://photos/some/labels: 50 photos");
        assert!(!run.stderr.contains("secret-test-key"), "{run}");
        assert!(attempt == 0 || run.stderr.contains("9 of 9 shards done before"), "{run}");
        server.assert_holds(&sandbox, "some/labels/", "whole");
    }
    let variables = server.variables();
    let other = sandbox.cairn_with("label list.csv -m run --shard 7 -o s3://photos/some/labels", &variables);
    other.assert_status(1).assert_stderr_has("--shard was 6 then, 7 now");
}

#[test]
fn photos_and_lists_in_s3_are_labelled_as_those_on_disk() {
    let Some(mut server) = Server::start() else { return };
    let sandbox = with_list();
    sandbox.cairn("label list.csv -m run --shard 50 -o whole").assert_status(2);
    for line in String::from_utf8(sandbox.read("list.csv")).unwrap().lines().skip(1) {
        if sandbox.path(line).exists() {
            server.put(&format!("data/{line}"), &sandbox.path(line));
        }
    }
    server.put("data/list.csv", &sandbox.path("list.csv"));
    let variables = server.variables();
    // Relative names start at the list, and what is not there is a row.
    let run = sandbox.cairn_with("label s3://photos/data/list.csv -m run --shard 50 -o far", &variables);
    run.assert_status(2)
        .assert_stderr_has("left out: gone.jpg: no such file")
        .assert_stderr_has("far: 50 photos");
    let parts = |out: &str| -> Vec<Vec<u8>> {
        contents(&sandbox.path(out))
            .into_iter()
            .filter(|(name, _)| name.to_str().unwrap().starts_with("part-"))
            .map(|(_, bytes)| bytes)
            .collect()
    };
    assert!(parts("far") == parts("whole"), "the same rows, byte by byte");
    // A prefix is the photos below it.
    let run = sandbox.cairn_with("label s3://photos/data/photos -m run --shard 20 -o below", &variables);
    run.assert_status(0).assert_stderr_has("below: 48 photos");
    // A bucket that is not there fails before anything is written.
    let run = sandbox.cairn_with("label s3://nowhere/list.csv -m run -o none", &variables);
    run.assert_status(1);
    assert!(!sandbox.path("none").exists());
}
