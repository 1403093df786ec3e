//! One shard's way through all recurrent layers, and back.

use super::batch::{Padded, Steps};
use super::cell::{CellWeights, Tape, mask_outputs};
use super::dropout::Masks;
use super::timeline::Timeline;

/// A recurrent layer as something that runs forward; whatever it computes with, the backward pass is that of its weights.
pub(super) trait Layer {
    /// What gradients are computed with.
    fn weights(&self) -> &CellWeights;

    /// Runs over the sequences loaded onto `tape`, and leaves on it what the backward pass needs.
    fn forward(&self, timeline: &Timeline, tape: &mut Tape);
}

impl Layer for CellWeights {
    fn weights(&self) -> &CellWeights {
        self
    }

    fn forward(&self, timeline: &Timeline, tape: &mut Tape) {
        CellWeights::forward(self, timeline, tape);
    }
}

/// The records of one shard, layer by layer. Layer l > 0 reads the hidden states of layer l - 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    pub(super) timeline: Timeline,
    pub(super) tapes: Vec<Tape>,
}

impl Stack {
    /// Runs `layers` over the sequences of a shard. `masks` holds the shard's, and leaves out the read-out's.
    pub(super) fn forward(&mut self, layers: &[impl Layer], sequences: Padded<'_>, masks: Option<Masks<'_>>) {
        let Self { timeline, tapes } = self;
        timeline.arrange(sequences.lengths());
        tapes.resize_with(layers.len(), Tape::default);
        for (index, layer) in layers.iter().enumerate() {
            let weights = layer.weights();
            let (below, tapes) = tapes.split_at_mut(index);
            match below.last() {
                None => tapes[0].load(weights, timeline, sequences),
                Some(below) => tapes[0].load_from(weights, timeline, (below, index - 1), masks),
            }
            layer.forward(timeline, &mut tapes[0]);
        }
    }

    /// Runs back through `layers` from what [`set_gradient`](Self::set_gradient) was given, and sets `gradients`, those of
    /// each layer, to the shard's.
    pub(super) fn backward(
        &mut self,
        layers: &[impl Layer],
        gradients: &mut [CellWeights],
        masks: Option<Masks<'_>>,
    ) {
        let Self { timeline, tapes } = self;
        for (layer, weights) in layers.iter().map(Layer::weights).enumerate().rev() {
            let (below, tapes) = tapes.split_at_mut(layer);
            weights.backward(timeline, &mut tapes[0], &mut gradients[layer]);
            if let Some(below) = below.last_mut() {
                weights.backward_input(&tapes[0], &mut below.d_outputs);
                if let Some(masks) = masks {
                    mask_outputs(timeline, masks, layer - 1, weights.units(), &mut below.d_outputs);
                }
                below.d_hidden.fill(0.0);
            }
        }
    }

    /// Copies the last layer's hidden states where `steps` reads them out, in the order that [`Steps`] says, into `out`
    /// `[read-outs, units]`.
    pub(super) fn read_out(&self, steps: Steps, units: usize, out: &mut [f32]) {
        let Some(top) = self.tapes.last() else { return };
        self.timeline.for_each_read_out(steps, |read_out, row, s| {
            let after = self.timeline.position_after(row, s);
            out[read_out * units..][..units].copy_from_slice(&top.hidden[after * units..][..units]);
        });
    }

    /// Takes the gradient of the loss by what [`read_out`](Self::read_out) gives, `[read-outs, units]`.
    pub(super) fn set_gradient(&mut self, steps: Steps, units: usize, gradient: &[f32]) {
        let Self { timeline, tapes } = self;
        let Some(Tape { d_hidden, d_outputs, .. }) = tapes.last_mut() else { return };
        if steps == Steps::Every {
            d_hidden.fill(0.0);
            d_outputs.resize(timeline.total() * units, 0.0);
        }
        timeline.for_each_read_out(steps, |read_out, row, s| {
            let to = match steps {
                Steps::Last => &mut d_hidden[row * units..][..units],
                Steps::Every => &mut d_outputs[timeline.position(row, s) * units..][..units],
            };
            to.copy_from_slice(&gradient[read_out * units..][..units]);
        });
    }
}
