//! Networks as they are written down and read back with serde: the values, and what says how to read them.

use ndarray::ArrayD;
use refrain::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};

use super::network::Network;

/// What a network is written down as.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    cell: CellKind,
    shape: Shape,
    /// In the order of [`Network::parameters`].
    tensors: Vec<ArrayD<f32>>,
}

impl From<Network> for Record {
    fn from(network: Network) -> Self {
        let tensors = network.parameters().into_iter().map(|parameter| parameter.values.to_owned()).collect();
        Self { cell: network.kind(), shape: network.shape(), tensors }
    }
}

impl TryFrom<Record> for Network {
    type Error = String;

    fn try_from(record: Record) -> Result<Self, String> {
        let Record { cell, shape, tensors } = record;
        let sizes = [shape.inputs, shape.units, shape.outputs, shape.layers.into()].map(usize::from);
        let most = [MAX_INPUTS, MAX_UNITS, MAX_OUTPUTS, MAX_LAYERS];
        if !sizes.iter().zip(most).all(|(size, most)| (1..=most).contains(size)) {
            return Err(format!("a network of {shape} is not supported"));
        }
        let mut network = Self::zeros(cell, shape);
        let parameters = network.parameters_mut();
        if parameters.len() != tensors.len() {
            return Err(format!("{} tensors were found, {} are expected", tensors.len(), parameters.len()));
        }
        for (mut parameter, tensor) in parameters.into_iter().zip(tensors) {
            if parameter.values.shape() != tensor.shape() {
                let (name, expected) = (parameter.name, parameter.values.shape());
                return Err(format!("{name} is {:?}, {expected:?} is expected", tensor.shape()));
            }
            parameter.values.assign(&tensor);
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { inputs: 3, units: 4, outputs: 2, layers: 1 };

    #[test]
    fn a_network_comes_back_as_it_was() {
        for cell in CellKind::ALL {
            for layers in 1..=3 {
                let network = Network::new(cell, Shape { layers, ..SHAPE }, 5);
                let bytes = postcard::to_stdvec(&network).unwrap();
                assert_eq!(postcard::from_bytes::<Network>(&bytes).unwrap(), network);
            }
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let refused = |spoil: fn(&mut Record)| {
            let mut record = Record::from(Network::new(CellKind::Gru, SHAPE, 5));
            spoil(&mut record);
            Network::try_from(record).unwrap_err()
        };
        assert!(refused(|record| record.shape.units = 0).contains("0 units"));
        assert!(refused(|record| record.shape.inputs = u16::MAX).contains("not supported"));
        assert!(refused(|record| record.shape.layers = 4).contains("4 layers"));
        assert_eq!(refused(|record| record.shape.layers = 2), "9 tensors were found, 12 are expected");
        assert_eq!(refused(|record| record.shape.units = 5), "cell/kernel is [3, 12], [3, 15] is expected");
    }
}
