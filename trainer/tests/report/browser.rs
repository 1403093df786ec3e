//! Opens pages in a real browser and tells what is to be seen there.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use refrain_trainer::setup::chromium;
use serde_json::Value;

/// How long the browser may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// The colour scheme that a reader prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Dark,
    Light,
}

/// A page at a width in CSS pixels, by the name that its findings have.
pub(crate) struct View<'h> {
    pub(crate) name: &'static str,
    pub(crate) html: &'h str,
    pub(crate) width: u32,
}

/// What `probe.js` found in each view, by name.
///
/// Each page is in a frame of its width, for browsers have a least width of their own.
///
/// # Panics
/// If there is no browser and none can be installed; if the browser fails, or has anything to complain of.
pub(crate) fn look(views: &[View<'_>], scheme: Scheme) -> Value {
    let browser = chromium().unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut frames = String::new();
    for View { name, html, width } in views {
        fs::write(at(&format!("{name}.html")), html).unwrap();
        frames += &format!(
            "<iframe id='{name}' src='{name}.html' style='width:{width}px;height:900px;border:0'></iframe>\n"
        );
    }
    let harness = format!(
        "<!DOCTYPE html><meta charset='utf-8'><meta name='color-scheme' content='light dark'><title>harness</title>\n\
         {frames}<pre id='found'></pre><script>{}</script>",
        include_str!("probe.js")
    );
    fs::write(at("harness.html"), harness).unwrap();
    let scheme = match scheme {
        Scheme::Dark => 0,
        Scheme::Light => 1,
    };
    let mut command = Command::new(browser);
    command
        // The pages are this test's own, and a sandbox is not to be had by root or in every container.
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .args(["--allow-file-access-from-files", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", at("profile").display()))
        .arg(format!("file://{}", at("harness.html").display()));
    let (page, log) = run(command, folder.path());
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    let found = page.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (found, _) = found.unwrap_or_else(|| panic!("the browser gave no page back; it says:\n{log}"));
    serde_json::from_slice(&BASE64_STANDARD.decode(found).unwrap()).unwrap()
}

/// What a command writes to stdout and to stderr, if it ends in time.
fn run(mut command: Command, folder: &Path) -> (String, String) {
    let [out, log] = ["out", "log"].map(|name| folder.join(name));
    command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let [out, log] = [out, log].map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
    assert!(status.success(), "the browser ended with {status}; it says:\n{log}");
    (out, log)
}
