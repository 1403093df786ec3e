//! What is left of `refrain monitor` when it is ended by a signal: nothing, QEMU included.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Bench, TIMESTEPS, refrain};

/// A busy machine may be slow to end what is to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A board that is watched for as long as the test takes, and has answered two rows.
struct Watched {
    bench: Bench,
    refrain: Child,
    told: BufReader<Box<dyn Read>>,
}

impl Watched {
    /// Started by `shell`, with the program and its arguments as `"$@"`.
    fn start(shell: &str, limit: usize) -> Self {
        let bench = Bench::new();
        bench.model("gru", "m");
        fs::create_dir(bench.path("tmp")).unwrap();
        let line = bench.command(&format!("monitor $m.rfn --data $data --limit {limit} --period 200 --json"));
        let mut refrain = Command::new("/bin/sh")
            .args(["-c", shell, "sh"])
            .arg(refrain().get_program())
            .args(line.get_args())
            .env("TMPDIR", bench.path("tmp"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(Box::new(refrain.stderr.take().unwrap()) as Box<dyn Read>);
        let mut watched = Self { bench, refrain, told };
        let answered = watched.told.by_ref().lines().map_while(Result::ok);
        assert_eq!(answered.filter(|line| line.starts_with("sample 0, row ")).take(2).count(), 2);
        assert!(watched.has_folder() && watched.has_processes());
        watched
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.refrain.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Whether there is a folder of the run.
    fn has_folder(&self) -> bool {
        fs::read_dir(self.bench.path("tmp")).unwrap().count() > 0
    }

    /// Whether a process works in it, as QEMU does.
    fn has_processes(&self) -> bool {
        let works_in = |folder: &Path, process: &Path| {
            fs::read_link(process.join("cwd")).is_ok_and(|at| at.starts_with(folder))
        };
        let folder = self.bench.path("tmp").canonicalize().unwrap();
        fs::read_dir("/proc").unwrap().flatten().any(|process| works_in(&folder, &process.path()))
    }

    /// Reads on to the end: stderr, stdout, and whether the program says that all went well.
    fn rest(&mut self) -> (String, String, bool) {
        let (mut told, mut report) = (String::new(), String::new());
        self.told.read_to_string(&mut told).unwrap();
        self.refrain.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        (told, report, self.refrain.wait().unwrap().success())
    }

    fn nothing_is_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.has_folder() || self.has_processes() {
            assert!(Instant::now() < deadline, "QEMU or its folder outlives the program");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_program_that_is_killed_leaves_nothing() {
    let mut watched = Watched::start(r#"exec "$@""#, 30);
    watched.signal("-KILL");
    let (_, report, is_well) = watched.rest();
    assert!(report.is_empty() && !is_well, "{report}");
    watched.nothing_is_left();
}

#[test]
fn a_hangup_ends_it_with_a_report_as_ctrl_c_does() {
    for signal in ["-HUP", "-INT", "-TERM"] {
        let mut watched = Watched::start(r#"exec "$@""#, 30);
        watched.signal(signal);
        let (told, report, is_well) = watched.rest();
        assert!(is_well && report.contains(r#""answered":"#), "{signal}: {report}, {told}");
        watched.nothing_is_left();
    }
}

#[test]
fn a_hangup_that_is_ignored_ends_nothing() {
    let mut watched = Watched::start(r#"trap "" HUP; exec "$@""#, 1);
    watched.signal("-HUP");
    let (told, report, is_well) = watched.rest();
    assert!(is_well && report.contains(&format!(r#""answered":{TIMESTEPS},"#)), "{report}, {told}");
    watched.nothing_is_left();
}
