//! The states after leading blank rows: how many of them a model file is worth, and what they are.

use refrain::format::{MAX_BLANK_STATES, SectionKind};

use super::writer::Payload;
use crate::data::SplitView;
use crate::model_file::ModelFile;

/// A state pays where at least one in so many sequences begins with that many blank rows. What fewer have saves less
/// than a twentieth of a timestep each, and its flash would be there for nothing.
const RARITY: usize = 20;
/// The table takes at most the bytes of the file without it, and without its self-test, divided by this.
const SHARE: usize = 4;

/// How many states after leading blank rows a model file holds, so that the board need not compute them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlankStates {
    /// As many as pay: those after the blank rows that at least one in twenty calibration sequences begins with, in at
    /// most a quarter of the bytes that the rest of the model takes. None where sequences do not begin so, and in an f32 model.
    #[default]
    Auto,
    /// So many, where sequences are known to begin with more or fewer than the calibration sequences do.
    Count(u8),
}

impl BlankStates {
    /// How many there are to be in a file that without them is `plain`.
    fn count(self, plain: &ModelFile, calibration: SplitView<'_>) -> usize {
        match self {
            Self::Count(count) => count.into(),
            Self::Auto => {
                let model = plain.model();
                let leading = |index| {
                    let sequence = calibration.sequence(index).to_bytes();
                    model.leading_blank_rows(&sequence).expect("calibration sequences have the model's shape")
                };
                let mut leading: Vec<usize> = (0..calibration.count()).map(leading).collect();
                leading.sort_unstable_by(|a, b| b.cmp(a));
                let often = leading[leading.len().div_ceil(RARITY) - 1];
                let room = plain.as_bytes().len() / SHARE / model.blank_state_bytes();
                often.min(room).min(MAX_BLANK_STATES)
            }
        }
    }

    /// Adds the section, if there is to be one, to an integer model that without it is `plain`.
    pub(super) fn add(self, payload: &mut Payload, plain: &ModelFile, calibration: SplitView<'_>) {
        let count = self.count(plain, calibration);
        if count > 0 {
            let model = plain.model();
            let mut section = vec![0; count * model.blank_state_bytes()];
            model.write_blank_states(&mut section);
            payload.push(SectionKind::BlankStates, &section);
        }
    }
}
