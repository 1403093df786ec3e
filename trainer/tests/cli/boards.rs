//! `refrain device`, `refrain validate` and `refrain demo`, where there is no board to be had.

use std::fs;

use crate::support::{Bench, error, refrain};

#[test]
fn boards_and_ways_to_them_are_listed_where_they_are_unknown() {
    let bench = Bench::new();
    bench.model("gru", "m");
    for command in ["device", "validate"] {
        refuses_what_there_is_not(&bench, command);
    }
}

fn refuses_what_there_is_not(bench: &Bench, command: &str) {
    let refused = |arguments: &str| error(&bench.run(&format!("{command} $m.rfn --data $data {arguments}")));
    let board = refused("--board pdp-11");
    let all = "mps2-an382, mps2-an385, mps2-an386, b-l475e-iot01a, mps2-an500, mps2-an505, mps3-an547";
    assert!(board.contains("pdp-11") && board.contains(all), "{board}");
    let via = refused("--via pigeon");
    assert!(via.contains("pigeon") && via.contains("auto, memory, link"), "{via}");
    assert!(refused("--limit 0").contains("--limit"));
    let both = refused("--board mps2-an386 --port /dev/ttyACM0");
    assert!(both.contains("--board") && both.contains("--port"), "{both}");
    assert!(refused("--port $none --via memory").contains("--via memory is for emulated boards"));
    let memory = refused("--board b-l475e-iot01a --via memory");
    assert!(memory.contains("--via memory is not for the board b-l475e-iot01a"), "{memory}");
    let port = refused("--port $none");
    assert!(port.contains("none: cannot open this serial port"), "{port}");
}

#[test]
fn a_qemu_that_is_not_there_is_told_before_training() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let without_qemu = |line: &str| {
        let output = bench.command(line).env("REFRAIN_QEMU", "/no/such/qemu").output().unwrap();
        let message = error(&output);
        assert!(message.contains("/no/such/qemu") && message.contains("REFRAIN_QEMU"), "{message}");
    };
    without_qemu("device $m.rfn --data $data");
    without_qemu("validate $m.rfn --data $data --html $page.html");
    assert!(!bench.path("page.html").exists(), "nothing was found out");
    without_qemu("demo --quick --data $data --out $demo");
    assert_eq!(fs::read_dir(bench.path("demo")).unwrap().count(), 0, "nothing was trained");
}

#[test]
fn the_demonstration_needs_a_folder_to_write_to() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "").unwrap();
    let message = error(&bench.run("demo --quick --data $data --out $file"));
    assert!(message.contains("--out") && message.contains("file"), "{message}");
}

#[test]
fn an_update_needs_a_revision_and_a_board() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let refused = |arguments: &str| error(&bench.run(&format!("update $m.rfn {arguments}")));
    let missing = refused("--port $none");
    assert!(missing.contains("--revision <N|next>"), "{missing}");
    for revision in ["0", "-1", "latest", "4294967296"] {
        let message = refused(&format!("--revision={revision}"));
        assert!(message.contains("a number from 1 to 4294967294, or next"), "{message}");
    }
    let last = refused("--revision=4294967295");
    assert!(last.contains("no model could ever take that one's place"), "{last}");
    let both = refused("--revision 1 --port $none --built-in $m.rfn");
    assert!(both.contains("--built-in") && both.contains("--port"), "{both}");
    let port = refused("--revision 1 --port $none");
    assert!(port.contains("none: cannot open this serial port"), "{port}");
    let file = error(&bench.run("update $none.rfn --revision 1"));
    assert!(file.contains("none.rfn: cannot read it"), "{file}");
}

#[test]
fn help_is_on_stdout_and_has_examples() {
    for command in
        ["demo", "train", "export", "eval", "inspect", "device", "validate", "monitor", "data", "update"]
    {
        let output = refrain().args([command, "--help"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(text.contains("Examples:") && text.contains(&format!("refrain {command}")), "{text}");
        assert!(text.contains("--json"), "{text}");
    }
}

#[test]
fn a_page_is_not_written_over_what_is_no_page() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let message = error(&bench.run("validate $m.rfn --data $data --html $m.rfn"));
    assert!(message.contains("--html") && message.contains("no earlier HTML page"), "{message}");
    let message = error(&bench.run("validate $m.rfn --data $data --html $none/page.html"));
    assert!(message.contains("there is no folder"), "{message}");
    let message = error(&bench.run("validate $m.ckpt --data $data"));
    assert!(message.contains("is a checkpoint where a model file is expected"), "{message}");
}
