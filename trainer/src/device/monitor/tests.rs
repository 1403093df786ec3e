//! Tests of watching a board, against one in memory.

use super::*;
use crate::data::{Sequences, Split, Targets, Values};
use crate::link::Patience;
use crate::link::fake_board::{Faults, FaultyLink, ROW_BYTES};
use crate::test_models;

const SAMPLES: usize = 3;
const TIMESTEPS: usize = 4;

/// A board in memory answers at once.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(6), time_out: Duration::from_millis(1), attempts: 30 };

/// What came of watching a board that starts again before that request.
struct Watched {
    report: MonitorReport,
    /// How often the board was seen as it had just started, the first time included.
    boards: u32,
    requests: usize,
}

fn watched(restart_before: Option<usize>) -> Watched {
    let model = test_models::simple_rnn(ROW_BYTES as u16, 3, 2);
    let file = ModelFile::from_bytes("a model", &model).unwrap();
    let values = Values::U8((0..SAMPLES * TIMESTEPS * ROW_BYTES).map(|value| value as u8).collect());
    let sequences = Sequences::ragged(values, ROW_BYTES, &[TIMESTEPS; SAMPLES]);
    let split = Split::new(sequences, Targets::Labels(vec![0; SAMPLES]), false, "x", "y").unwrap();
    let mut link = FaultyLink::new(Faults::NONE, 0);
    link.board.crc = file.model().crc();
    link.restart_before = restart_before;

    let (client, options) = (Client::new(link, PATIENCE, 0), StreamOptions::every(Duration::from_micros(10)));
    let mut boards = 0;
    let mut watcher = |seen: Seen<'_>| {
        boards += u32::from(matches!(seen, Seen::Board(_)));
        ControlFlow::Continue(())
    };
    let session = Session::new(client, &file, None, &mut watcher);
    let (report, mut client) = session.run(&file, Some((Feed::new(&file, split.view()), options)));
    let requests = client.transport_mut().sent;
    Watched { report: report.unwrap(), boards, requests }
}

#[test]
fn wherever_a_board_starts_again_it_is_told_and_every_row_is_counted() {
    let undisturbed = watched(None);
    let Watched { report, boards, requests } = undisturbed;
    let all = (SAMPLES * TIMESTEPS) as u64;
    assert_eq!((report.rows, report.answered, report.unanswered), (all, all, 0));
    assert_eq!((report.restarts, boards), (0, 1));

    // Before the first request it has not been seen, and behind the last one nothing more is asked.
    let mut lost = 0;
    for request in 1..requests - 1 {
        let Watched { report, boards, .. } = watched(Some(request));
        let MonitorReport { rows, answered, unanswered, .. } = report;
        assert_eq!((report.restarts, boards), (1, 2), "before request {request}: {report:?}");
        assert!(report.boot.contains("watchdog"), "before request {request}: {report:?}");
        assert_eq!(rows, answered + unanswered, "before request {request}: {report:?}");
        lost += unanswered;
    }
    assert_eq!(lost, all, "each row is lost once");
}
