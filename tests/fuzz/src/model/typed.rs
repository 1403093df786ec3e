//! Networks whose sizes are fixed when they are compiled come to the verdict and to the logits of [`AnyModel`].

use refrain::cell::{self, Cell};
use refrain::{
    AnyModel, CellKind, Header, Logit, Model, Numbers, Sample, SampleType, Samples, Shape, State, float,
};

use super::{comparable, logits};

/// A file and what has been found out about it.
#[derive(Clone, Copy)]
pub(super) struct Case<'c, 'f> {
    /// It begins at a multiple of 16.
    pub(super) file: &'f [u8],
    pub(super) header: Option<&'c Header<'f>>,
    /// What [`AnyModel`] made of it.
    pub(super) any: Option<&'c AnyModel<'f>>,
    pub(super) rows: &'c [u8],
}

/// Reads a file as every type that there is here.
pub(super) fn agree(case: Case<'_, '_>) {
    of_samples::<i16>(case);
    of_samples::<f32>(case);
    of_shapes::<float::SimpleRnn, f32>(case);
    of_shapes::<float::Lstm, f32>(case);
    of_shapes::<float::Gru, f32>(case);
}

/// The cells on integers, compiled for such samples.
fn of_samples<S: SampleType>(case: Case<'_, '_>) {
    of_shapes::<cell::SimpleRnn, S>(case);
    of_shapes::<cell::SimpleRnn4, S>(case);
    of_shapes::<cell::Lstm, S>(case);
    of_shapes::<cell::Lstm4, S>(case);
    of_shapes::<cell::Gru, S>(case);
    of_shapes::<cell::Gru4, S>(case);
}

/// The shapes of the corpus.
fn of_shapes<C: Cell, S: SampleType>(case: Case<'_, '_>) {
    of_shape::<C, 3, 5, 3, 1, S>(case);
    of_shape::<C, 2, 4, 2, 2, S>(case);
}

fn of_shape<C, const I: usize, const U: usize, const O: usize, const L: usize, S>(case: Case<'_, '_>)
where
    C: Cell,
    S: SampleType,
{
    let shape = Shape { inputs: I as u16, units: U as u16, outputs: O as u16, layers: L as u8 };
    let is_this = |header: &Header<'_>| {
        let is_network = (header.cell, header.numbers, header.shape) == (C::KIND, C::NUMBERS, shape);
        is_network && (S::TAKES_FLOATS || header.input.samples != Samples::F32)
    };
    // reading is what takes the time: one type stands for all those that have nothing to do with a file
    let stands_for_others = (C::KIND, C::NUMBERS, L) == (CellKind::Lstm, Numbers::Int8, 1);
    if !stands_for_others && !case.header.is_some_and(is_this) {
        return;
    }
    let any = case.any.filter(|any| is_this(any.header()));
    let read = Model::<C, I, U, O, L, S>::from_bytes(case.file);
    assert_eq!(read.is_ok(), any.is_some(), "{} on {}, {shape}: {:?}", C::KIND, C::NUMBERS, read.err());
    if let (Ok(model), Some(any)) = (read, any) {
        agrees(&model, any, case.rows);
    }
}

/// The network gives the logits of `any`, from bytes and from samples, and from a state that was kept.
fn agrees<C, const I: usize, const U: usize, const O: usize, const L: usize, S>(
    model: &Model<'_, C, I, U, O, L, S>,
    any: &AnyModel<'_>,
    rows: &[u8],
) where
    C: Cell,
    S: SampleType,
{
    assert_eq!((model.header(), model.crc()), (any.header(), any.crc()));
    assert_eq!(model.self_test(), any.self_test());
    let now =
        |state: &State<C, U, L>| comparable(C::NUMBERS, model.logits(state).map(Logit::to_bytes).concat());
    let (mut state, mut found) = (State::new(), Vec::new());
    for row in rows.chunks_exact(model.header().row_bytes()) {
        let mut kept = state;
        model.step_bytes(&mut state, row).expect("a whole row");
        assert!(model.step_bytes(&mut kept, &row[1..]).is_err(), "a row of one byte less");
        match model.header().input.samples {
            Samples::U8 => model.step(&mut kept, &samples(row, u8::from_le_bytes)),
            Samples::I16 => model.step(&mut kept, &samples(row, i16::from_le_bytes)),
            Samples::F32 => model.step(&mut kept, &samples(row, f32::from_le_bytes)),
        }
        assert_eq!(now(&kept), now(&state), "from samples as from bytes");
        found.extend(now(&state));
    }
    assert_eq!(found, logits(any, rows), "{:?}", model.header());
}

/// A row of samples out of the bytes that they travel as.
fn samples<T: Sample, const I: usize, const B: usize>(row: &[u8], of: fn([u8; B]) -> T) -> [T; I] {
    let (samples, _) = row.as_chunks();
    std::array::from_fn(|index| of(samples[index]))
}
