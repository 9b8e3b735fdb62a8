//! Pictures and words fit the terminal's window: tried in tmux, where there is one.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cairn_reference::{Need, program};

use crate::sandbox::Sandbox;

const PHOTO: &str = "photos/test/03.Dome/0000.jpg";
const PATIENCE: Duration = Duration::from_secs(900);

/// What a window of so many columns and rows shows after `cairn` ran in it; `None` without tmux.
fn shown(sandbox: &Sandbox, columns: usize, rows: usize, arguments: &str) -> Option<Vec<String>> {
    // A server of its own each time: one that is ending answers still.
    let program = program(Need::Tmux)?;
    let socket = sandbox.path(&format!("tmux-{columns}-{}", arguments.len()));
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("-u").arg("-S").arg(&socket).args(["-f", "/dev/null"]).args(arguments);
        command.env_remove("TMUX").env_remove("NO_COLOR").env_remove("CI").env("TERM", "xterm-256color");
        command.current_dir(sandbox.path("")).output()
    };
    let _ = std::fs::remove_file(sandbox.path("done"));
    let script = format!("{} {arguments}; touch done; sleep 900", env!("CARGO_BIN_EXE_cairn"));
    let [x, y] = [columns, rows].map(|size| size.to_string());
    let started = tmux(&["new-session", "-d", "-x", &x, "-y", &y, &script]).unwrap();
    assert!(started.status.success(), "{started:?}");
    let begun = Instant::now();
    while !sandbox.path("done").exists() && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
    }
    let captured = tmux(&["capture-pane", "-p"]).unwrap();
    let _ = tmux(&["kill-server"]);
    assert!(sandbox.path("done").exists(), "{arguments} did not end: {captured:?}");
    let text = String::from_utf8(captured.stdout).unwrap();
    Some(text.lines().map(|line| line.trim_end().to_owned()).collect())
}

const BLOCKS: [char; 2] = ['▀', '▄'];

#[test]
fn pictures_take_half_of_the_window_at_most_and_lines_break_between_words() {
    let sandbox = Sandbox::trained();
    let verbs = ["suggest PHOTO -m run", "explain PHOTO -m run -o heat.png --force"];
    for (columns, rows) in [(40, 60), (80, 24), (200, 60)] {
        for verb in verbs {
            let Some(lines) = shown(&sandbox, columns, rows, &verb.replace("PHOTO", PHOTO)) else { return };
            let screen = lines.join("\n");
            let picture: Vec<&String> = lines.iter().filter(|line| line.contains(BLOCKS)).collect();
            assert!(!picture.is_empty() && picture.len() <= rows / 2, "{columns} columns, {verb}:\n{screen}");
            let widest = picture.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns / 2, "{columns} columns, {verb}:\n{screen}");
            // A row of a picture is never wrapped into another: all rows of a panel are as wide.
            let narrow = picture.iter().map(|line| line.chars().count()).min().unwrap();
            assert!(widest == narrow || verb.starts_with("explain"), "{columns} columns, {verb}:\n{screen}");
            // Nothing of the question that the terminal was asked.
            assert!(
                !screen.contains("[?") && !screen.contains("1337") && !screen.contains("Gi="),
                "{screen}"
            );
            for word in ["Pyramid", "Dome", "Lighthouse", "Windmill", "picture"] {
                let letters: String = screen.split_whitespace().collect();
                assert_eq!(letters.contains(word), screen.contains(word), "{word} is broken:\n{screen}");
            }
        }
    }
}
