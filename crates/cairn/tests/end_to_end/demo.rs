//! `cairn demo` with next to no time to learn in: that everything is there, not that it is right.

use crate::sandbox::Sandbox;

#[test]
fn the_demo_goes_through_and_leaves_what_it_says() {
    let sandbox = Sandbox::new();
    let demo = sandbox.cairn("demo --out tour --minutes 0.02");
    demo.assert_status(0)
        .assert_stderr_has("made-up landmarks")
        .assert_stderr_has("the minutes are over")
        .assert_stdout_has("test accuracy ")
        .assert_stdout_has("tour/photos/test/")
        .assert_stdout_has("tour/run-1/report.html")
        .assert_stdout_has("cairn train DIR");
    // After so short a training it may well say that the photo shows no landmark that it knows.
    let answers = ["Is this a picture of the ", "The closest: the "];
    assert!(answers.iter().any(|answer| demo.stdout.contains(answer)), "{demo}");
    for file in ["best.safetensors", "loss.png", "accuracy.svg", "report.html", "metrics.jsonl"] {
        assert!(sandbox.path("tour/run-1").join(file).is_file(), "{file}");
    }
    // A second tour finds the photos drawn already, and has a run of its own.
    let again = sandbox.cairn("demo --out tour --minutes 0.02");
    again.assert_status(0).assert_stderr_has("there already").assert_stdout_has("tour/run-2");
    // What it says to type next works on what it made.
    sandbox.cairn("data show tour/photos -o montage.png").assert_status(0);
    sandbox.cairn("test tour/run-1 tour/photos").assert_status(0);
}
