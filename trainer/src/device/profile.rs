//! What each part of an inference costs on a board: the board measures, over some of the samples.

use refrain::link::Profile;
use refrain::{Numbers, Samples};
use serde::Serialize;

use super::error::DeviceError;
use super::link::{find_model, served};
use super::work::Work;
use crate::link::{Client, Hello, Served, Transport, sequence_room};
use crate::model_file::ModelFile;

/// Samples that are measured: what a timestep costs differs little from one to the other.
const SAMPLES: usize = 20;

/// What each part of an inference costs, measured by the board over some of the samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Costs {
    /// How many samples were measured, from the first on.
    pub samples: usize,
    /// Their timesteps together.
    pub timesteps: u64,
    /// Whether the samples were measured to their ends; otherwise as many of their first timesteps as fit into a request.
    pub to_the_end: bool,
    /// Ticks of the board's timer for all of them, measured as a whole.
    pub ticks: u64,
    /// Instructions of a timestep, out of `ticks`; `None` where the board cannot count instructions.
    pub instructions_per_timestep: Option<u64>,
    /// In the order in which a row meets them.
    pub parts: Vec<PartCost>,
    /// The same with no input at zero, of which nothing can be skipped; `None` for floats, which are never skipped.
    pub without_zeros: Option<WithoutZeros>,
}

/// What a part of an inference costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartCost {
    /// `input`, `layer 1` and so on, or `dense`.
    pub part: String,
    /// Ticks of the board's timer for all timesteps.
    pub ticks: u64,
    /// Instructions of a timestep; `None` where the board cannot count instructions.
    pub instructions_per_timestep: Option<u64>,
    /// The part, from 0 to 1, of what all parts take together.
    pub share: f64,
}

/// What a sequence costs every sample of which is the greatest that its type holds, which is nowhere zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WithoutZeros {
    /// Its timesteps: those of the longest sample that was measured.
    pub timesteps: u16,
    /// Ticks of the board's timer, measured as a whole.
    pub ticks: u64,
    /// Instructions of a timestep; `None` where the board cannot count instructions.
    pub instructions_per_timestep: Option<u64>,
    /// Instructions of the whole sequence; `None` likewise.
    pub instructions_per_inference: Option<u64>,
}

/// What a board says of itself, and what it measures of the first samples of `work`.
pub(super) fn measure<T: Transport>(
    client: &mut Client<T>,
    file: &ModelFile,
    work: &Work,
) -> Result<(Hello, Costs), DeviceError> {
    let (hello, model) = find_model(client, file)?;
    let served = served(model, work);
    // A board has room for one row in any case.
    let room = (sequence_room(hello.request_bytes) / served.row_bytes.max(1)).max(1) * served.row_bytes;
    let (mut sum, mut to_the_end) = (Sum::default(), true);
    let samples = work.count().min(SAMPLES);
    let mut longest = 0;
    for sequence in 0..samples {
        let rows = work.rows(sequence..sequence + 1);
        let front = &rows[..rows.len().min(room)];
        to_the_end &= front.len() == rows.len();
        longest = longest.max(front.len());
        sum.add(client.profile(served, front)?);
    }
    let without_zeros = without_zeros(client, file, served, longest)?;
    let layers = file.model().header().shape.layers.into();
    Ok((hello, sum.costs(samples, to_the_end, layers, without_zeros)))
}

/// Measures a sequence of so many bytes without zeros.
fn without_zeros<T: Transport>(
    client: &mut Client<T>,
    file: &ModelFile,
    served: Served,
    bytes: usize,
) -> Result<Option<WithoutZeros>, DeviceError> {
    let model = file.model();
    let header = model.header();
    if header.numbers == Numbers::F32 {
        return Ok(None);
    }
    let rows = match header.input.samples {
        Samples::U8 => vec![u8::MAX; bytes],
        Samples::I16 => i16::MAX.to_le_bytes().repeat(bytes / 2),
        Samples::F32 => f32::MAX.to_le_bytes().repeat(bytes / 4),
    };
    let profile = client.profile(served, &rows)?;
    let each = |count| instructions(profile.whole, profile.ticks_per_1000_instructions, count);
    Ok(Some(WithoutZeros {
        timesteps: profile.timesteps,
        ticks: profile.whole,
        instructions_per_timestep: each(profile.timesteps.into()),
        instructions_per_inference: each(1),
    }))
}

/// Several profiles together.
#[derive(Default)]
struct Sum {
    timesteps: u64,
    ticks_per_1000_instructions: u32,
    whole: u64,
    input: u64,
    layers: Vec<u64>,
    dense: u64,
}

impl Sum {
    fn add(&mut self, profile: Profile) {
        self.timesteps += u64::from(profile.timesteps);
        self.ticks_per_1000_instructions = profile.ticks_per_1000_instructions;
        self.whole += profile.whole;
        self.input += profile.input;
        self.dense += profile.logits;
        self.layers.resize(profile.layers.len(), 0);
        for (sum, ticks) in self.layers.iter_mut().zip(profile.layers) {
            *sum += ticks;
        }
    }

    fn costs(
        &self,
        samples: usize,
        to_the_end: bool,
        layers: usize,
        without_zeros: Option<WithoutZeros>,
    ) -> Costs {
        let layers = (1..).zip(&self.layers).take(layers);
        let layers = layers.map(|(number, &ticks)| (format!("layer {number}"), ticks));
        let parts: Vec<_> = [("input".to_owned(), self.input)]
            .into_iter()
            .chain(layers)
            .chain([("dense".to_owned(), self.dense)])
            .collect();
        let all = parts.iter().map(|&(_, ticks)| ticks).sum::<u64>().max(1);
        let each = |ticks| instructions(ticks, self.ticks_per_1000_instructions, self.timesteps);
        let part = |(part, ticks)| PartCost {
            part,
            ticks,
            instructions_per_timestep: each(ticks),
            share: ticks as f64 / all as f64,
        };
        Costs {
            samples,
            timesteps: self.timesteps,
            to_the_end,
            ticks: self.whole,
            instructions_per_timestep: each(self.whole),
            parts: parts.into_iter().map(part).collect(),
            without_zeros,
        }
    }
}

/// Instructions for each of `count`, to the nearest; `None` where nobody knows how many ticks an instruction takes.
fn instructions(ticks: u64, ticks_per_1000: u32, count: u64) -> Option<u64> {
    let all = ticks.saturating_mul(1000);
    let each = u64::from(ticks_per_1000).checked_mul(count).filter(|&each| each > 0)?;
    Some(all.saturating_add(each / 2) / each)
}

#[cfg(test)]
mod tests {
    use refrain::Steps;

    use super::*;
    use crate::evaluate::ReadOut;
    use crate::link::Patience;
    use crate::link::fake_board::{Faults, FaultyLink, ROW_BYTES, fake_profile};
    use crate::test_models;

    fn measured(lengths: &[usize]) -> Costs {
        let bytes = test_models::simple_rnn(ROW_BYTES as u16, 2, 2);
        let file = ModelFile::from_bytes("hand-made.rfn", &bytes).unwrap();
        let rows = (0..ROW_BYTES * lengths.iter().sum::<usize>()).map(|index| index as u8).collect();
        let work = Work::of_rows(rows, lengths, ROW_BYTES, ReadOut::of_model(&file));
        assert_eq!(work.read_out().steps, Steps::Last);
        let mut link = FaultyLink::new(Faults::NONE, 0);
        link.board.crc = file.model().crc();
        let mut client = Client::new(link, Patience::WITH_PORT, 0);
        let (hello, costs) = measure(&mut client, &file, &work).unwrap();
        assert_eq!((hello.board.as_str(), hello.firmware.as_str()), ("fake", "0.0.0"));
        costs
    }

    #[test]
    fn parts_are_added_up_over_the_samples() {
        let costs = measured(&[3, 1, 2]);
        let input = 3 * ROW_BYTES as u64 + 50;
        assert_eq!((costs.samples, costs.timesteps, costs.to_the_end), (3, 6, true));
        // the fake board's ticks are half an instruction; 95 instructions of a sequence are of no row, 5 of no part
        assert_eq!(costs.ticks, 2 * (6 * (input + 700) + 3 * 95));
        assert_eq!(costs.instructions_per_timestep, Some(input + 700 + 48));
        let parts: Vec<_> =
            costs.parts.iter().map(|cost| (cost.part.as_str(), cost.instructions_per_timestep)).collect();
        assert_eq!(parts, [("input", Some(input)), ("layer 1", Some(700)), ("dense", Some(45))]);
        let shares: f64 = costs.parts.iter().map(|cost| cost.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        assert_eq!(costs.without_zeros, None, "floats are never skipped");
    }

    #[test]
    fn long_sequences_are_measured_as_far_as_a_request_reaches() {
        // the fake board takes messages of 100 bytes: 14 rows of 6 and what else is in a request
        let costs = measured(&[5000, 3]);
        assert_eq!((costs.samples, costs.timesteps, costs.to_the_end), (2, 17, false));
        assert_eq!(measured(&[2; 90]).samples, SAMPLES);
    }

    #[test]
    fn ticks_that_are_no_instructions_are_not_made_into_any() {
        let mut sum = Sum::default();
        sum.add(Profile { ticks_per_1000_instructions: 0, ..fake_profile(&[0; 2 * ROW_BYTES]) });
        let costs = sum.costs(1, true, 1, None);
        assert!(costs.ticks > 0 && costs.instructions_per_timestep.is_none());
        assert!(costs.parts.iter().all(|part| part.ticks > 0 && part.instructions_per_timestep.is_none()));
    }
}
