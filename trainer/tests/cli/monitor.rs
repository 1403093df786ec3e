//! `refrain monitor`. With a board it needs QEMU, as nothing else here does.

use crate::support::{Bench, TIMESTEPS, error, json, stderr};

#[test]
fn rows_are_streamed_to_a_board_and_told_one_by_one() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let output = bench.run("monitor $m.rfn --data $data --limit 3 --period 30 --json");
    let report = json(&output);
    let rows = 3 * TIMESTEPS;
    for (field, expected) in
        [("rows", rows), ("answered", rows), ("unanswered", 0), ("missing", 0), ("late", 0), ("judged", 3)]
    {
        assert_eq!(report[field], expected, "{field}: {report}");
    }
    assert_eq!((&report["restarts"], &report["period_ms"]), (&0.into(), &30.into()));
    assert!(report["accuracy"].is_number(), "{report}");
    let log = report["log"].as_array().expect("the lines of the log");
    assert!(log.iter().any(|line| line == "info  mps2-an386: 1 models, mode Link"), "{report}");

    let told = stderr(&output);
    let answers: Vec<&str> = told.lines().filter(|line| line.starts_with("sample ")).collect();
    assert_eq!(answers.len(), rows, "{told}");
    assert!(answers[rows - 1].starts_with(&format!("sample 2, row {TIMESTEPS} of {TIMESTEPS}: ")), "{told}");
    assert!(answers[rows - 1].contains(", right, ") || answers[rows - 1].contains(", WRONG, "), "{told}");
    assert!(told.contains("log: info  mps2-an386: 1 models, mode Link"), "{told}");
}

#[test]
fn a_report_for_people_names_its_figures() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let output = bench.run("monitor $m.rfn --data $data --limit 1 --period 30");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    for part in ["gru (int8)", "mps2-an386", "power came", "rows, one every", "6, 30 ms", "broken frames"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn flags_that_make_no_sense_together_are_refused() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let refused = |arguments: &str| error(&bench.run(&format!("monitor $m.rfn {arguments}")));
    let limit = refused("--limit 3");
    assert!(limit.contains("--data"), "{limit}");
    assert!(refused("--data $data --period 0").contains("--period"));
    assert!(refused("--data $data --deadline 0").contains("--deadline"));
    let elf = refused("--port $none --elf $m.rfn");
    assert!(elf.contains("--log"), "{elf}");
    let log = refused("--log - --elf $m.rfn");
    assert!(log.contains("--port"), "{log}");
    let both = refused("--board mps2-an386 --port $none");
    assert!(both.contains("--board") && both.contains("--port"), "{both}");
    let text = refused("--port $none --log -");
    assert!(text.contains("none: cannot open this serial port"), "{text}");
    assert!(refused("--port $none").contains("none: cannot open this serial port"));
    assert!(refused("--board pdp-11").contains("mps2-an386"));
}
