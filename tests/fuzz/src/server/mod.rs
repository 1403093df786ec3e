//! The firmware's server.

mod session;
mod stand_ins;

use refrain::float::activation::confidence;
use refrain::link::frame::{self, Receiver};
use refrain::link::{ECHO_BYTES, Numbered, Reply, Request, Streamed};
use refrain::{Numbers, Steps};
use refrain_firmware::server::{End, reply_frame, request_frame};
use refrain_firmware::update::{NoFlash, Store};
use refrain_firmware::{Classifier, Parts, Server};

use crate::line::{Piece, damaged, framed, pieces};
use session::{Expectation, Host};
use stand_ins::{Asleep, LOGIT_BYTES, Light, Line, Recorder, Stopped};

/// Name of the board.
const BOARD: &str = "a board";

/// The models: the bytes of a row, and after which timesteps each answers.
const MODELS: [(&str, u16, Steps); 3] =
    [("last", 3, Steps::Last), ("every", 3, Steps::Every), ("wide", 9, Steps::Last)];

/// The longest frame of a request: with the longest echo, and a few bytes more.
const REQUEST: usize = request_frame(ECHO_BYTES + 8);

/// The longest frame of a reply.
const REPLY: usize = reply_frame(LOGIT_BYTES, 16);

/// Whatever bytes come by the line, the server goes on until it is asked to start again, answers each request that came
/// whole, in order and with its number, and answers it as [`refrain::link`] says: with the logits of all the rows of a
/// sequence, once and in order, or not at all.
///
/// The first byte says in pieces of which length the line is read; the others are the pieces of `line.rs`.
///
/// # Panics
/// Where any of that does not hold.
pub fn server(data: &[u8]) {
    let Some((&piece, rest)) = data.split_first() else { return };
    let incoming = incoming(rest);
    let outgoing = answers(&incoming, usize::from(piece).max(1));

    let mut host = Host::new();
    let mut replies = bodies::<REPLY>(&outgoing).into_iter();
    for body in bodies::<REQUEST>(&incoming) {
        let Some(body) = body else {
            host.broken_frames += 1;
            continue;
        };
        let Ok(Numbered { request, body }) = frame::decode::<Numbered<Request<'_>>>(&body) else {
            host.broken_frames += 1;
            continue;
        };
        let reply = replies.next().expect("a reply to each request").expect("a reply comes whole");
        let reply: Numbered<Reply<'_>> = frame::decode(&reply).expect("a reply is one of the protocol");
        assert_eq!(reply.request, request, "the number of the request that is answered");
        match host.expects(&body) {
            Expectation::Exactly(expected) => assert_eq!(reply.body, expected, "to {body:?}"),
            Expectation::Logits { sequence, logits } => {
                assert_eq!(reply.body, Reply::Logits { sequence, logits: &logits }, "to {body:?}");
            }
            Expectation::Streamed { index, missing, rows, logits } => {
                let values = logits.as_chunks().0.iter().map(|&logit| Numbers::Int8.logit_value(logit));
                let (micros, is_late, confidence) = (0, false, Some(confidence(values)));
                let logits = &logits;
                let expected = Streamed { index, missing, rows, micros, is_late, confidence, logits };
                assert_eq!(reply.body, Reply::Streamed(expected), "to {body:?}");
            }
        }
        if body == Request::Restart {
            break;
        }
    }
    assert_eq!(replies.next(), None, "a reply to nothing");
}

/// The bytes that come by the line: frames, noise, and the rows of a host that knows which one is next.
fn incoming(data: &[u8]) -> Vec<u8> {
    let (mut line, mut last, mut next) = (Vec::new(), Vec::new(), 0);
    for piece in pieces(data) {
        match piece {
            Piece::Noise(bytes) => {
                line.extend(bytes);
                continue;
            }
            Piece::Message(message) => last = framed(message),
            Piece::Damaged { place, flips, message } => last = damaged(framed(message), place, flips),
            Piece::Again => {}
            Piece::Row(values) => {
                let (sequence, index) = (next / 4, (next % 4) as u16);
                let body = Request::Row { model: 0, sequence, index, count: 4, values };
                last =
                    framed(&postcard::to_stdvec(&Numbered { request: next, body }).expect("there is room"));
                next += 1;
            }
        }
        line.extend(&last);
    }
    line
}

/// What the server answers.
fn answers(incoming: &[u8], piece: usize) -> Vec<u8> {
    let mut models = MODELS.map(|(name, inputs, steps)| Recorder::new(name, inputs, steps));
    let mut models = models.each_mut().map(|model| model as &mut dyn Classifier);
    let mut line = Line { incoming, piece, outgoing: Vec::new() };
    let parts = Parts {
        board: BOARD,
        serial: &mut line,
        busy: Light,
        clock: Stopped,
        memory: &mut [],
        stack_used: || 321,
        lost_bytes: || 12,
    };
    let mut updates = Store::open(NoFlash, []);
    let server = Server::<_, _, _, REQUEST, REPLY>::new(parts, &mut models, &mut updates);
    let served = server.watched_by(Asleep).serve();
    assert!(matches!(served, Ok(End::OfLine | End::Restart)), "{served:?}");
    line.outgoing
}

/// The bodies of the frames on a line; `None` where one is broken.
fn bodies<const N: usize>(line: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut receiver = Receiver::<N>::new();
    line.iter().filter_map(|&byte| receiver.push(byte).map(|body| body.ok().map(<[u8]>::to_vec))).collect()
}
