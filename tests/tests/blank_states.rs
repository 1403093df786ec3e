//! States after leading blank rows: a model that has them computes, step for step, what the same model computes without.

use proptest::prelude::*;
use refrain::cell::{Cell, Gru, Gru4, Lstm, Lstm4, SimpleRnn, SimpleRnn4};
use refrain::{Model, Sample, SampleType, Samples, Shape, State};
use refrain_tests::{Recordings, random_model_with, regression};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::quantise::BlankStates;

const INPUTS: usize = 3;
const UNITS: usize = 5;
const OUTPUTS: usize = 2;

type Network<'a, C, const LAYERS: usize, S> = Model<'a, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>;

/// What the two models, with a table and without, give for the same rows, held against one another after every row.
struct Pair<'a, C: Cell, const LAYERS: usize, S: SampleType> {
    models: [Network<'a, C, LAYERS, S>; 2],
}

impl<'a, C: Cell, const LAYERS: usize, S: SampleType> Pair<'a, C, LAYERS, S> {
    fn new(files: &'a [ModelFile; 2]) -> Self {
        Self {
            models: files.each_ref().map(|file| Model::from_bytes(file.as_bytes()).expect("of that shape")),
        }
    }

    /// Reads rows from the states on.
    fn read<T: Sample>(
        &self,
        mut states: [State<C, UNITS, LAYERS>; 2],
        rows: &[[T; INPUTS]],
    ) -> Result<[State<C, UNITS, LAYERS>; 2], TestCaseError> {
        for row in rows {
            for (model, state) in self.models.iter().zip(&mut states) {
                model.step(state, row);
            }
            let [with, without] = &states;
            prop_assert_eq!(with, without);
            prop_assert_eq!(with.hidden(), without.hidden());
            let [with, without] = [0, 1].map(|index| self.models[index].logits(&states[index]));
            prop_assert_eq!(with, without);
        }
        Ok(states)
    }

    /// Reads rows as one sequence, then cut, from copies of the states and after a reset.
    fn check<T: Sample>(&self, rows: &[[T; INPUTS]], cut: usize) -> Result<(), TestCaseError> {
        let (first, rest) = rows.split_at(cut);
        let new = [State::new(); 2];
        let whole = self.read(new, rows)?;
        let saved = self.read(new, first)?;
        let mut again = saved;
        prop_assert_eq!(self.read(saved, rest)?, whole);
        prop_assert_eq!(self.read(saved, rest)?, whole, "a saved state is still what it was");
        again.iter_mut().for_each(State::reset);
        prop_assert_eq!(again, new);
        prop_assert_eq!(self.read(again, rows)?, whole, "a state that was reset is a new one");
        Ok(())
    }
}

/// The same random model with a table of `entries` and without one.
fn pair<C: Cell>(entries: u8, layers: usize, seed: u64) -> [ModelFile; 2] {
    let [inputs, units, outputs] = [INPUTS as u16, UNITS as u16, OUTPUTS as u16];
    let shape = Shape { inputs, units, outputs, layers: layers as u8 };
    [entries, 0].map(|count| random_model_with(BlankStates::Count(count), C::KIND, shape, C::NUMBERS, seed))
}

/// Rows: some blank ones, then any, more blank ones, any again.
fn rows(entries: usize) -> impl Strategy<Value = Vec<[u8; INPUTS]>> {
    let blank = |most| proptest::collection::vec(Just([0; INPUTS]), 0..=most);
    let any = || {
        let feature = prop_oneof![2 => Just(0), 1 => any::<u8>()];
        proptest::collection::vec(proptest::array::uniform3(feature), 0..5)
    };
    (blank(entries + 3), any(), blank(entries + 3), any()).prop_map(|parts| {
        let (leading, some, between, others) = parts;
        [leading, some, between, others].concat()
    })
}

/// A cell of 1, 2 and 3 layers.
fn check<C: Cell>(entries: u8, rows: &[[u8; INPUTS]], cut: usize, seed: u64) -> Result<(), TestCaseError> {
    Pair::<C, 1, i16>::new(&pair::<C>(entries, 1, seed)).check(rows, cut)?;
    Pair::<C, 2, i16>::new(&pair::<C>(entries, 2, seed)).check(rows, cut)?;
    Pair::<C, 3, i16>::new(&pair::<C>(entries, 3, seed)).check(rows, cut)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bit_differs(
        (entries, rows) in (1u8..=6).prop_flat_map(|entries| (Just(entries), rows(entries.into()))),
        cut in any::<proptest::sample::Index>(),
        seed in 0u64..4,
    ) {
        let cut = cut.index(rows.len() + 1);
        check::<SimpleRnn>(entries, &rows, cut, seed)?;
        check::<SimpleRnn4>(entries, &rows, cut, seed)?;
        check::<Lstm>(entries, &rows, cut, seed)?;
        check::<Lstm4>(entries, &rows, cut, seed)?;
        check::<Gru>(entries, &rows, cut, seed)?;
        check::<Gru4>(entries, &rows, cut, seed)?;
    }
}

/// Every number of leading blank rows up to some beyond the table, in front of a row that is not blank.
#[test]
fn the_table_ends_where_it_ends() {
    const ENTRIES: u8 = 4;
    for leading in 0..=usize::from(ENTRIES) + 3 {
        let mut rows = vec![[0; INPUTS]; leading];
        rows.extend([[0, 0, 1], [0, 0, 0], [255, 7, 0], [0, 0, 0]]);
        for cut in 0..=rows.len() {
            check::<SimpleRnn>(ENTRIES, &rows, cut, 1).unwrap();
            check::<Lstm>(ENTRIES, &rows, cut, 1).unwrap();
            check::<Gru>(ENTRIES, &rows, cut, 1).unwrap();
        }
    }
}

/// Where each feature has an offset, its mean is what is blank.
#[test]
fn readings_of_the_mean_are_blank() {
    fn check<S: SampleType, T: Sample + Default>(
        samples: Samples,
        blank: [T; INPUTS],
        other: [T; INPUTS],
        bytes: &[u8],
    ) {
        let recordings = Recordings::random(samples, INPUTS as u16, &[5, 8], regression(OUTPUTS as u16), 1);
        let files = [3, 0].map(|count| {
            recordings.model_with(BlankStates::Count(count), Lstm::KIND, UNITS as u16, 2, Lstm::NUMBERS)
        });
        assert_eq!(files[1].model().leading_blank_rows(&bytes.repeat(2)), Ok(2));
        let pair = Pair::<Lstm, 2, S>::new(&files);
        for leading in 0..6 {
            let rows = [vec![blank; leading], vec![other, blank, other]].concat();
            (0..=rows.len()).for_each(|cut| pair.check(&rows, cut).unwrap());
        }
    }
    // `Recordings` has means of -300 and 90.5 more with each feature, and of 1 and 0.1 less
    let blank = [-300, -209, -119];
    let bytes: Vec<u8> = blank.iter().flat_map(|value: &i16| value.to_le_bytes()).collect();
    check::<i16, i16>(Samples::I16, blank, [-300, 9000, -119], &bytes);
    let blank = [1.0, f32::NAN, 0.8];
    let bytes: Vec<u8> = blank.iter().flat_map(|value: &f32| value.to_le_bytes()).collect();
    check::<f32, f32>(Samples::F32, blank, [1.0, 0.9, -7.0], &bytes);
}

/// A state that has read its first rows with one model and goes on with another is the caller's affair, but no panic.
#[test]
fn a_state_of_another_model_is_read_without_a_panic() {
    let (small, large) = (pair::<Lstm>(2, 1, 1), pair::<Lstm>(200, 1, 2));
    let small = Pair::<Lstm, 1, i16>::new(&small).models;
    let large = Pair::<Lstm, 1, i16>::new(&large).models;
    for leading in 0..210 {
        let mut state = State::new();
        (0..leading).for_each(|_| large[0].step(&mut state, &[0u8; INPUTS]));
        for model in small.iter().chain(&large) {
            model.step(&mut state, &[0u8; INPUTS]);
        }
    }
}
