//! Rows of a data set as they travel to a board.

use std::borrow::Cow;

use refrain::Samples;

use super::EvaluateError;
use crate::data::{SplitView, ValuesView};

/// A sequence as its rows travel to a board: one byte a feature, or two, or four, little-endian. Numbers are those of
/// the data where `samples` can hold them, which [`check_data`](super::check_data) tells; another is the nearest one
/// that it can.
pub fn link_bytes(samples: Samples, sequence: ValuesView<'_>) -> Cow<'_, [u8]> {
    let numbers = || (0..sequence.len()).map(move |index| sequence.get(index));
    match (samples, sequence) {
        (Samples::U8, ValuesView::U8(bytes)) => Cow::Borrowed(bytes),
        _ if samples == sequence.samples() => sequence.to_bytes().into(),
        (Samples::U8, _) => numbers().map(|number| number as u8).collect(),
        (Samples::I16, _) => numbers().flat_map(|number| (number as i16).to_le_bytes()).collect(),
        (Samples::F32, _) => numbers().flat_map(f32::to_le_bytes).collect(),
    }
}

/// Refuses numbers that samples of the model's type cannot hold.
///
/// # Errors
/// [`EvaluateError::Sample`].
pub(super) fn check(model: &str, samples: Samples, data: SplitView<'_>) -> Result<(), EvaluateError> {
    let holds: fn(f32) -> bool = match samples {
        Samples::U8 => |number| f32::from(number as u8) == number,
        Samples::I16 => |number| f32::from(number as i16) == number,
        Samples::F32 => return Ok(()),
    };
    for sample in 0..data.count() {
        let sequence = data.sequence(sample);
        let as_it_is = match sequence {
            ValuesView::U8(_) => true,
            ValuesView::I16(_) => samples == Samples::I16,
            ValuesView::F32(_) => false,
        };
        // all sequences of a set are of one type
        if as_it_is {
            return Ok(());
        }
        if let Some(index) = (0..sequence.len()).find(|&index| !holds(sequence.get(index))) {
            return Err(EvaluateError::Sample {
                model: model.to_owned(),
                samples,
                sample,
                timestep: index / data.inputs(),
                feature: index % data.inputs(),
                found: sequence.get(index),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Split, Targets, Values};

    #[test]
    fn numbers_travel_as_the_model_takes_them() {
        let bytes = ValuesView::U8(&[7, 255]);
        assert_eq!(link_bytes(Samples::U8, bytes), [7, 255].as_slice());
        assert_eq!(link_bytes(Samples::I16, bytes), [7, 0, 255, 0].as_slice());
        let integers = ValuesView::I16(&[-2, 300]);
        assert_eq!(link_bytes(Samples::I16, integers), [0xfe, 0xff, 0x2c, 1].as_slice());
        let floats = [(-2.0f32).to_le_bytes(), 300.0f32.to_le_bytes()].concat();
        assert_eq!(link_bytes(Samples::F32, integers), floats);
        assert_eq!(link_bytes(Samples::F32, ValuesView::F32(&[-2.0, 300.0])), floats);
        assert_eq!(
            link_bytes(Samples::I16, ValuesView::F32(&[-2.0, 300.0])),
            [0xfe, 0xff, 0x2c, 1].as_slice()
        );
    }

    fn split(values: Values) -> Split {
        let sequences = Sequences::ragged(values, 2, &[1, 2]);
        Split::new(sequences, Targets::Labels(vec![0, 1]), false, "recording", "list").unwrap()
    }

    #[test]
    fn numbers_that_samples_cannot_hold_are_named() {
        let refused = |samples, values| {
            check("m.rfn", samples, split(values).view()).map_err(|error| error.to_string())
        };
        let floats = |last| Values::F32(vec![0.0, -0.0, 255.0, 4.0, 7.0, last]);
        for samples in [Samples::U8, Samples::I16, Samples::F32] {
            assert_eq!(refused(samples, floats(9.0)), Ok(()));
            assert_eq!(refused(samples, Values::U8(vec![255; 6])), Ok(()));
        }
        for (samples, last, range) in [
            (Samples::U8, -1.0, "0 to 255"),
            (Samples::U8, 256.0, "0 to 255"),
            (Samples::I16, 0.5, "-32768 to 32767"),
            (Samples::I16, 40_000.0, "-32768 to 32767"),
        ] {
            assert_eq!(
                refused(samples, floats(last)),
                Err(format!(
                    "m.rfn: the model takes whole numbers from {range}, sample 1 of the data has {last} at timestep 1, \
                     feature 1"
                ))
            );
            assert_eq!(refused(Samples::F32, floats(last)), Ok(()));
        }
        assert!(refused(Samples::U8, Values::I16(vec![0, 0, 0, 0, 0, 300])).is_err());
        assert_eq!(refused(Samples::I16, Values::I16(vec![i16::MIN; 6])), Ok(()));
    }
}
