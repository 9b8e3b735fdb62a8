//! Benchmarks print the rows that other frameworks' benchmarks print.

use serde_json::Value;

use crate::sandbox::Sandbox;

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_epoch_is_timed_by_loader_and_network_from_files_and_from_the_cache() {
    let sandbox = Sandbox::new();
    let bench = sandbox.cairn("bench epoch photos --images 4 --batch 2 --net three-conv --precision f32");
    let lines = lines(&bench.assert_status(0).stdout);
    let whats: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["loader only", "loader cached", "epoch first", "epoch"]);
    assert!(lines[0]["net"].is_null() && lines[0]["peer"] == "cairn");
    assert_eq!(lines[3]["net"], "three_conv");
    assert_eq!(lines[3]["peer"], "cairn f32");
    for line in &lines {
        assert_eq!(line["images"], 4);
        assert!(line["images_per_second"].as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn decoding_is_timed_over_the_photos_named_or_those_of_cairn_data() {
    let sandbox = Sandbox::new();
    let photo = "photos/test/03.Dome/0000.jpg";
    sandbox.copy(photo, "data/photos/large-1.jpg");
    sandbox.copy(photo, "data/photos/small-1.jpg");
    let data = sandbox.path("data");
    let by_name = sandbox.cairn(&format!("bench decode {photo} {photo} --repeats 1"));
    let by_variable =
        sandbox.cairn_with("bench decode --repeats 1", &[("CAIRN_DATA", data.to_str().unwrap())]);
    for (bench, photos) in [(by_name, 2), (by_variable, 1)] {
        for line in lines(&bench.assert_status(0).stdout) {
            assert_eq!(line["what"], "decode large photo");
            assert_eq!(line["photos"], photos);
            assert_eq!(line["threads"], 1);
            assert!(line["photos_per_second"].as_f64().unwrap() > 0.0, "{line}");
        }
    }
    let nothing = sandbox.cairn_with("bench decode", &[("CAIRN_DATA", "")]);
    nothing.assert_status(1).assert_stderr_has("CAIRN_DATA");
}

#[test]
fn layers_are_timed_in_three_products_beside_what_the_machine_can_do() {
    let sandbox = Sandbox::new();
    let bench = |format: &str| {
        let command = "bench layers --net three-conv --side 32 --batch 2 --repeats 1 --precision f32";
        sandbox.cairn(&format!("{command} --format {format}"))
    };
    let lines = lines(&bench("jsonl").assert_status(0).stdout);
    // Three convolutions and their sum.
    assert_eq!(lines.len(), 4 * 3);
    for (line, product) in lines.iter().zip(["forward", "input gradient", "weight gradient"].iter().cycle()) {
        assert_eq!(line["net"], "three-conv");
        assert_eq!(line["product"], *product);
        for figure in ["milliseconds", "gflops", "possible_gflops", "share"] {
            assert!(line[figure].as_f64().unwrap() > 0.0, "{figure} of {line}");
        }
    }
    assert!(lines[0]["layer"].as_str().unwrap().starts_with("3-"), "{}", lines[0]);
    assert!(["compute", "cache", "memory"].contains(&lines[0]["limit"].as_str().unwrap()), "{}", lines[0]);
    // Nobody needs the gradient to the photos.
    assert_eq!([&lines[9]["times"], &lines[10]["times"]], [3, 2]);
    assert!(lines[9]["limit"].is_null());
    bench("table").assert_status(0).assert_stdout_has("GFLOP/s, memory");
}

#[test]
fn forward_passes_are_timed_in_8_bits_too() {
    let sandbox = Sandbox::new();
    let bench = sandbox.cairn("bench infer --net three-conv --batch 2 --repeats 1 --precision f32,int8");
    let peers: Vec<Value> = lines(&bench.assert_status(0).stdout);
    let peers: Vec<&str> = peers.iter().map(|line| line["peer"].as_str().unwrap()).collect();
    assert_eq!(peers, ["cairn f32", "cairn int8"]);
}

#[test]
fn as_many_threads_compute_as_are_asked_for() {
    let sandbox = Sandbox::new();
    let command = "bench layers --net three-conv --side 32 --batch 2 --repeats 1 --precision f32";
    let asked = sandbox.cairn_with(&format!("{command} --threads 3"), &[("CAIRN_THREADS", "2")]);
    asked.assert_status(0).assert_stdout_has(" on 3 threads; ");
    let by_variable = sandbox.cairn_with(command, &[("CAIRN_THREADS", "2")]);
    by_variable.assert_status(0).assert_stdout_has(" on 2 threads; ");
}
