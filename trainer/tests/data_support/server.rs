//! An HTTP server on this machine that serves the small set well or badly.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::data_support::{gzip, idx, small_set};

/// What the server does with a request for a file that it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Manner {
    /// Sends it, or the part asked for.
    Honest,
    /// Sends all of it whatever part was asked for.
    IgnoresRange,
    /// Announces all of it and closes after this many bytes.
    BreaksOffAfter(usize),
    /// Sends this many bytes without announcing how many, and closes: nothing but the check can tell.
    CutsSilentlyAfter(usize),
    /// Announces all of it, sends this many bytes, and says no more.
    StallsAfter(usize),
    /// Takes the request and never answers.
    Mute,
    /// Sends as many other bytes, with status 200.
    Lies,
    /// Sends a sound idx file of that shape with other contents.
    SendsAnotherSet,
    /// Never stops sending.
    Endless,
    /// Continues somewhere else than asked.
    ContinuesElsewhere,
    /// Says that the range asked for does not exist.
    NoSuchRange,
    /// Answers with this status.
    Status(u16),
}

/// A server thread; each request is met in the next manner of the list, and in the last when they run out.
pub(crate) struct Server {
    /// Its address, ending in `/`.
    pub(crate) base: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn new(manners: &[Manner]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/", listener.local_addr().expect("an address"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (manners, shared) = (manners.to_vec(), Arc::clone(&log));
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let manner = manners[index.min(manners.len() - 1)];
                let log = Arc::clone(&shared);
                thread::spawn(move || answer(stream.expect("a connection"), manner, &log));
            }
        });
        Server { base, log }
    }

    /// What was asked for so far: file names, with "from N" where a range was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().expect("no thread panicked").clone()
    }
}

/// Serves one request; that the client hangs up is its right, so errors of writing are dropped.
fn answer(mut stream: TcpStream, manner: Manner, log: &Mutex<Vec<String>>) {
    let mut head = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let path = head.next().and_then(Result::ok).unwrap_or_default();
    let name = path.trim_start_matches("GET /").split(' ').next().unwrap_or_default().to_owned();
    let mut from = None;
    for line in head.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse::<usize>().ok();
        }
    }
    let entry = from.map_or(name.clone(), |from| format!("{name} from {from}"));
    log.lock().expect("no thread panicked").push(entry);
    let file = small_set().into_iter().find(|(plain, _)| name == format!("{plain}.gz"));
    let Some((_, file)) = file else { return drop(respond(&mut stream, 404, "", b"none")) };
    drop(serve(&mut stream, manner, &gzip(&file), from));
}

fn serve(stream: &mut TcpStream, manner: Manner, file: &[u8], from: Option<usize>) -> std::io::Result<()> {
    let announced = format!("Content-Length: {}\r\n", file.len());
    match manner {
        Manner::Honest => match from {
            Some(from) if from >= file.len() => respond(stream, 416, "", b""),
            Some(from) => {
                let rest = &file[from..];
                let headers = format!(
                    "Content-Range: bytes {from}-{}/{}\r\nContent-Length: {}\r\n",
                    file.len() - 1,
                    file.len(),
                    rest.len()
                );
                respond(stream, 206, &headers, rest)
            }
            None => respond(stream, 200, &announced, file),
        },
        Manner::IgnoresRange => respond(stream, 200, &announced, file),
        Manner::BreaksOffAfter(count) => respond(stream, 200, &announced, &file[..count]),
        Manner::CutsSilentlyAfter(count) => respond(stream, 200, "", &file[..count]),
        Manner::StallsAfter(count) => {
            respond(stream, 200, &announced, &file[..count])?;
            wait_for_the_end(stream)
        }
        Manner::Mute => wait_for_the_end(stream),
        Manner::Lies => respond(stream, 200, &announced, &vec![b'x'; file.len()]),
        Manner::SendsAnotherSet => respond(stream, 200, "", &gzip(&idx(&[4], &[2, 2, 1, 0]))),
        Manner::Endless => {
            respond(stream, 200, "", b"")?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
        Manner::ContinuesElsewhere => {
            respond(stream, 206, "Content-Range: bytes 0-9/10\r\nContent-Length: 10\r\n", &[0; 10])
        }
        Manner::NoSuchRange if from.is_some() => respond(stream, 416, "Content-Length: 0\r\n", b""),
        Manner::NoSuchRange => respond(stream, 200, &announced, file),
        Manner::Status(status) => respond(stream, status, "Content-Length: 0\r\n", b""),
    }
}

fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Word\r\nConnection: close\r\n{headers}\r\n")?;
    stream.write_all(body)
}

/// Says nothing until the client has had enough.
fn wait_for_the_end(stream: &TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut &*stream, &mut std::io::sink()).map(drop)
}
