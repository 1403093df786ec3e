//! The networks by name: a cell, the numbers that it computes with, and sizes.
//!
//! `I` features, `U` units in each of `LAYERS` layers, `O` logits. `S` is `f32` where the model takes float samples,
//! see [`SampleType`](crate::SampleType); a network on floats takes any.

use crate::{Model, cell, float};

/// A [`SimpleRNN`](cell::SimpleRnn) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/simple-rnn.rfn");
/// let model = refrain::SimpleRnn::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type SimpleRnn<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::SimpleRnn, I, U, O, LAYERS, S>;
/// An [`LSTM`](cell::Lstm) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let model = refrain::Lstm::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type Lstm<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::Lstm, I, U, O, LAYERS, S>;
/// A [`GRU`](cell::Gru) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/gru.rfn");
/// let model = refrain::Gru::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type Gru<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::Gru, I, U, O, LAYERS, S>;
/// A [`SimpleRNN`](cell::SimpleRnn4) network on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{SimpleRnn4, ModelError, Numbers};
///
/// // the shipped models have weights of 8 bits
/// let file = refrain::include_model!("../../firmware/models/simple-rnn.rfn");
/// let error = SimpleRnn4::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::Int4 });
/// ```
pub type SimpleRnn4<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::SimpleRnn4, I, U, O, LAYERS, S>;
/// An [`LSTM`](cell::Lstm4) network on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{Lstm4, ModelError, Numbers};
///
/// // the shipped models have weights of 8 bits
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let error = Lstm4::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::Int4 });
/// ```
pub type Lstm4<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::Lstm4, I, U, O, LAYERS, S>;
/// A [`GRU`](cell::Gru4) network on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{Gru4, ModelError, Numbers};
///
/// // the shipped models have weights of 8 bits
/// let file = refrain::include_model!("../../firmware/models/gru.rfn");
/// let error = Gru4::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::Int4 });
/// ```
pub type Gru4<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1, S = i16> =
    Model<'a, cell::Gru4, I, U, O, LAYERS, S>;
/// A [`SimpleRNN`](float::SimpleRnn) network on floats.
///
/// ```
/// use refrain::{FloatSimpleRnn, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/simple-rnn.rfn");
/// let error = FloatSimpleRnn::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatSimpleRnn<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1> =
    Model<'a, float::SimpleRnn, I, U, O, LAYERS, f32>;
/// An [`LSTM`](float::Lstm) network on floats.
///
/// ```
/// use refrain::{FloatLstm, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let error = FloatLstm::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatLstm<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1> =
    Model<'a, float::Lstm, I, U, O, LAYERS, f32>;
/// A [`GRU`](float::Gru) network on floats.
///
/// ```
/// use refrain::{FloatGru, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/gru.rfn");
/// let error = FloatGru::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatGru<'a, const I: usize, const U: usize, const O: usize, const LAYERS: usize = 1> =
    Model<'a, float::Gru, I, U, O, LAYERS, f32>;
