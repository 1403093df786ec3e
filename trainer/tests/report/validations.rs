//! Pages as they come out of validations: a network on images, and one whose board and names mean no good.

use refrain_trainer::report::{Compared, Figure, Line, Measured, Page, Part, Place, ValidationPage};

use crate::sample::{images, values};

/// The only run of a page, as a validation has it: nothing is known of its training.
fn validated(mut page: Page) -> Page {
    page.runs.truncate(1);
    page.notes.clear();
    page.runs[0].training = None;
    page.runs[0].layers.clear();
    page
}

/// A model of three layers on images, on an emulated board.
pub(crate) fn of_images() -> ValidationPage {
    let part = |name: &str, cost, share| Part { name: name.into(), cost, share };
    let compared = |name: &str, board| Compared {
        name: name.into(),
        figure: Figure::Part,
        values: [Some(board), Some(board)],
    };
    ValidationPage {
        page: validated(images()),
        place: Place {
            model: ["simple-rnn-64".into(), "models/simple-rnn.rfn".into()],
            shape: "simple-rnn (int8), 28 inputs, 64 units, 10 outputs, 3 layers".into(),
            crc32: "c738d2e9".into(),
            core: Some(("Cortex-M4".into(), 25_000_000)),
            firmware: "0.1.0".into(),
            qemu: Some("10.0".into()),
            port: None,
            via: "link".into(),
            samples_per_second: 13.9,
            retries: 0,
            line: Some(Line { carried: 9_500.0, echoes: 10_000.0 }),
            mismatch: None,
            logits_sha256: ["5a".repeat(32), "5a".repeat(32)],
            inference_stack: Some(480),
        },
        compared: vec![compared("accuracy", 0.9924), compared("macro F1", 0.9923)],
        measured: Measured {
            samples: 20,
            timesteps: 560,
            to_the_end: true,
            are_instructions: true,
            timestep: 22_604.0,
            parts: vec![
                part("input", 271.0, 0.012),
                part("simple-rnn, layer 1", 12_000.0, 0.531),
                part("simple-rnn, layer 2", 10_000.0, 0.442),
                part("dense", 333.0, 0.015),
            ],
            without_zeros: Some(31_945.0),
            inference: Some(633_520),
            inference_ticks: Some(16_218_112),
        },
    }
}

/// Values from a real board that does not compute what the host does, with names that are HTML.
pub(crate) fn hostile() -> ValidationPage {
    let mut found = of_images();
    found.page = validated(values());
    found.page.runs[0].name = "<img src=x onerror=alert(1)>".into();
    found.page.data.name = "<!-- data -->".into();
    found.place = Place {
        model: ["</title><script>document.title = 'taken over'</script>".into(), "' onmouseover='x".into()],
        core: None,
        qemu: None,
        port: Some("/dev/ttyACM0".into()),
        line: None,
        mismatch: Some(
            "in sample 3, logit 1, the board computed 0x00000001 where the host computed 0x00000002".into(),
        ),
        logits_sha256: ["5a".repeat(32), "a5".repeat(32)],
        inference_stack: None,
        ..found.place
    };
    found.compared = vec![Compared {
        name: "temperature °C: R²".into(),
        figure: Figure::Number,
        values: [Some(0.5), None],
    }];
    found.measured = Measured {
        to_the_end: false,
        are_instructions: false,
        without_zeros: None,
        inference: None,
        ..found.measured
    };
    found
}
