//! Fetches a file from one of several mirrors, resuming what broke off, and keeps only what passes a check.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body, Proxy};

use super::DataError;

/// Where and how patiently to download.
#[derive(Debug, Clone)]
pub struct Downloader {
    /// Base addresses, each ending in `/`, tried in this order.
    pub mirrors: Vec<String>,
    /// How long looking up a name, and then connecting, may take.
    pub connect_timeout: Duration,
    /// How long a server may send nothing.
    pub stall_timeout: Duration,
    /// How long one request may take in all; what came is kept and resumed.
    pub request_timeout: Duration,
    /// How many times the list of mirrors is gone through, for mirrors that break off.
    pub rounds: usize,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
    /// Whether to draw a progress bar on stderr (never when stderr is no terminal).
    pub progress: bool,
}

/// Why one attempt at one mirror failed.
enum Failure {
    /// Our own disk: trying elsewhere is of no use.
    Local(DataError),
    /// The mirror cannot be reached or refuses: not asked again for this file.
    Refused(String),
    /// It broke off: what came is kept, and it may be asked for the rest.
    BrokeOff(String),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure::Local(error)
    }
}

impl Downloader {
    /// Patience for a slow network, and an answer within seconds where there is none: nothing is tried twice that
    /// could not be reached once. The proxy is the one that the environment names (`HTTPS_PROXY` and the like).
    pub fn new(mirrors: impl IntoIterator<Item = impl Into<String>>) -> Downloader {
        Downloader {
            mirrors: mirrors.into_iter().map(Into::into).collect(),
            connect_timeout: Duration::from_secs(4),
            stall_timeout: Duration::from_secs(8),
            request_timeout: Duration::from_secs(600),
            rounds: 4,
            proxy: Proxy::try_from_env(),
            progress: true,
        }
    }

    /// Downloads `name` into `folder` and returns what `check` made of it.
    ///
    /// The bytes go to `name.part`, which a later call resumes; only a file that passed `check` gets its name.
    /// A `name.part` that fails the check is deleted. No more than `limit` bytes are accepted.
    ///
    /// # Errors
    /// [`DataError::Download`] with what each mirror answered, or [`DataError::Io`] for the local disk.
    pub fn fetch<T>(
        &self,
        name: &str,
        folder: &Path,
        limit: u64,
        check: impl Fn(&Path) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let part = folder.join(format!("{name}.part"));
        let agent = self.agent();
        let mut reasons = Vec::new();
        let mut mirrors: Vec<&String> = self.mirrors.iter().collect();
        for _ in 0..self.rounds {
            let mut willing = Vec::new();
            for mirror in mirrors {
                let url = format!("{mirror}{name}");
                match self.attempt(&agent, &url, name, &part, limit, &check) {
                    Ok(checked) => {
                        let path = folder.join(name);
                        fs::rename(&part, &path)
                            .map_err(DataError::io(&path, "rename the download to this"))?;
                        return Ok(checked);
                    }
                    Err(Failure::Local(error)) => return Err(error),
                    Err(Failure::Refused(reason)) => reasons.push(format!("{url}: {reason}")),
                    Err(Failure::BrokeOff(reason)) => {
                        reasons.push(format!("{url}: {reason}"));
                        willing.push(mirror);
                    }
                }
            }
            mirrors = willing;
        }
        Err(DataError::Download { file: name.to_owned(), reasons: reasons.join("; ") })
    }

    fn agent(&self) -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            // The files are compressed already, and their lengths must be those on the server.
            .accept_encoding("identity")
            .proxy(self.proxy.clone())
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.stall_timeout))
            .timeout_global(Some(self.request_timeout))
            .build()
            .new_agent()
    }

    /// One request to one mirror, from where `part` ends, and the check of what is then there.
    fn attempt<T>(
        &self,
        agent: &Agent,
        url: &str,
        name: &str,
        part: &Path,
        limit: u64,
        check: impl Fn(&Path) -> Result<T, DataError>,
    ) -> Result<T, Failure> {
        let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
        let mut request = agent.get(url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| Failure::Refused(error.to_string()))?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if starts_at(&response, have) => have,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                remove(part)?;
                return Err(Failure::BrokeOff("it does not continue where the download broke off".into()));
            }
            status => return Err(Failure::Refused(format!("it answered {status}"))),
        };
        self.receive(response, name, part, start, limit)?;
        check(part).map_err(|error| {
            if let Err(local) = remove(part) {
                return Failure::Local(local);
            }
            let reason = format!("what it sent is not the file wanted ({error})");
            // After a resume the fault may lie in the bytes that were here before: then it deserves a fresh start.
            if start > 0 { Failure::BrokeOff(reason) } else { Failure::Refused(reason) }
        })
    }

    /// Appends the body to `part`, which is first cut to `start` bytes.
    fn receive(
        &self,
        response: Response<Body>,
        name: &str,
        part: &Path,
        start: u64,
        limit: u64,
    ) -> Result<(), Failure> {
        let mut file = open_part(part, start)?;
        let mut body = response.into_body();
        let bar = self.progress_bar(name, start, body.content_length());
        let mut reader = body.as_reader();
        let mut received = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::BrokeOff(format!("it broke off after {received} bytes ({error})")));
                }
            };
            received += count as u64;
            if received > limit {
                drop(file);
                remove(part)?;
                return Err(Failure::Refused(format!(
                    "it sends more than the {limit} bytes that the file may have"
                )));
            }
            file.write_all(&buffer[..count]).map_err(DataError::io(part, "write the download"))?;
            bar.inc(count as u64);
        }
        file.sync_all().map_err(DataError::io(part, "write the download"))?;
        Ok(())
    }

    fn progress_bar(&self, name: &str, start: u64, remaining: Option<u64>) -> ProgressBar {
        let target = if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(remaining.map(|bytes| start + bytes), target)
            .with_finish(ProgressFinish::AndClear);
        let style =
            ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}")
                .expect("a template that indicatif can parse");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(format!("downloading {name}"));
        bar.set_position(start);
        bar
    }
}

/// Whether a partial answer continues after the `have` bytes that are here: `Content-Range: bytes HAVE-...`.
fn starts_at(response: &Response<Body>, have: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.trim().starts_with(&format!("bytes {have}-")))
}

fn open_part(part: &Path, start: u64) -> Result<File, DataError> {
    let opened = OpenOptions::new().create(true).append(true).open(part);
    let file = opened.map_err(DataError::io(part, "make this file"))?;
    file.set_len(start).map_err(DataError::io(part, "write the download"))?;
    Ok(file)
}

/// Deletes a file; that there is none is as good.
pub(crate) fn remove(path: &Path) -> Result<(), DataError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DataError::io(path, "delete it")(error)),
        _ => Ok(()),
    }
}
