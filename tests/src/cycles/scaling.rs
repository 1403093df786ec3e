//! How costs grow with the sizes of a network.

use refrain::{CellKind, Numbers, Shape};
use serde::{Deserialize, Serialize};

use super::counter::Counter;
use super::error::CountError;
use super::models::macs;
use crate::{random_model, samples_without_zeros, unlabelled};

/// Units and inputs of the table of sizes.
pub const UNITS: [u16; 5] = [16, 32, 64, 128, 256];
/// See [`UNITS`].
pub const INPUTS: [u16; 5] = [8, 16, 32, 64, 128];

/// Odd numbers of units that are held against their even neighbours, at 28 inputs.
const ODD_UNITS: [u16; 6] = [17, 31, 33, 63, 65, 127];
/// Odd numbers of inputs that are, at 64 units.
const ODD_INPUTS: [u16; 5] = [9, 27, 29, 31, 33];
/// What is not varied then: the sizes of the shipped models.
const USUAL: Size = Size { inputs: 28, units: 64 };

/// As the shipped models.
const OUTPUTS: u16 = 10;
const TIMESTEPS: usize = 28;
/// What is counted depends on the sequences hardly at all where none of their samples is zero.
const SEQUENCES: usize = 2;

/// Networks of one firmware: they and their states lie on the stack of its 128 KiB of RAM.
const FIRMWARE_NETWORKS: usize = 8;

/// What is varied of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Features of a timestep.
    pub inputs: u16,
    /// Recurrent units.
    pub units: u16,
}

/// What one inference of a network of random weights costs: 28 timesteps without zeros, then ten logits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizeCost {
    /// Name of its cell.
    pub cell: String,
    /// Its size.
    #[serde(flatten)]
    pub size: Size,
    /// Multiply-accumulates of the inference.
    pub macs: usize,
    /// Cycles of the model of the core, the mean over two sequences.
    pub cycles: u64,
    /// Cycles for each multiply-accumulate.
    pub cycles_per_mac: f64,
}

/// An odd size beside its even neighbours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OddSize {
    /// The odd size.
    #[serde(flatten)]
    pub cost: SizeCost,
    /// Cycles for each multiply-accumulate of the even neighbours, the mean of the two.
    pub neighbours: f64,
    /// Part by which the odd size is dearer: 0.05 where it takes 5 % more cycles for each multiply-accumulate.
    pub dearer: f64,
}

/// The sizes of the table, inputs by inputs in each number of units.
pub fn grid() -> Vec<Size> {
    UNITS.into_iter().flat_map(|units| INPUTS.map(|inputs| Size { inputs, units })).collect()
}

/// Odd sizes, each with its even neighbours.
fn odd_sizes() -> Vec<[Size; 3]> {
    let by_units = ODD_UNITS.map(|odd| [odd, odd - 1, odd + 1].map(|units| Size { units, ..USUAL }));
    let by_inputs = ODD_INPUTS.map(|odd| [odd, odd - 1, odd + 1].map(|inputs| Size { inputs, ..USUAL }));
    by_units.into_iter().chain(by_inputs).collect()
}

/// A few sizes of each cell that stand for all: the corners, and one that is odd in both ways.
pub fn samples_of_all() -> Vec<(CellKind, Size)> {
    let sizes = [(8, 16), (29, 63), (128, 256)].map(|(inputs, units)| Size { inputs, units });
    CellKind::ALL.into_iter().flat_map(|cell| sizes.map(|size| (cell, size))).collect()
}

/// Every size that [`grid`] and [`beside_neighbours`] need, each once.
pub fn all_sizes() -> Vec<Size> {
    let mut sizes = grid();
    for size in odd_sizes().into_iter().flatten() {
        if !sizes.contains(&size) {
            sizes.push(size);
        }
    }
    sizes
}

/// What networks of these cells and sizes cost in firmware with these features of its package; as many of them in one
/// firmware as fit into its RAM.
///
/// # Errors
/// [`CountError`].
pub fn measure(networks: &[(CellKind, Size)], features: &[&str]) -> Result<Vec<SizeCost>, CountError> {
    let costs: Result<Vec<_>, _> =
        networks.chunks(FIRMWARE_NETWORKS).map(|networks| in_one_firmware(networks, features)).collect();
    Ok(costs?.concat())
}

fn in_one_firmware(networks: &[(CellKind, Size)], features: &[&str]) -> Result<Vec<SizeCost>, CountError> {
    let shape = |size: &Size| Shape { inputs: size.inputs, units: size.units, outputs: OUTPUTS, layers: 1 };
    let model = |(cell, size): &(CellKind, Size)| random_model(*cell, shape(size), Numbers::Int8, 1);
    let models: Vec<_> = networks.iter().map(model).collect();
    let counter = Counter::new(&models.iter().collect::<Vec<_>>(), features)?;
    let cost = |(number, &(cell, size)): (usize, &(CellKind, Size))| {
        let samples = unlabelled(samples_without_zeros(SEQUENCES, TIMESTEPS, size.inputs.into(), 1));
        let cycles = counter.count(number, samples.view())?.cycles().mean;
        let macs = macs(cell, shape(&size), TIMESTEPS);
        Ok(SizeCost {
            cell: cell.to_string(),
            size,
            macs,
            cycles,
            cycles_per_mac: cycles as f64 / macs as f64,
        })
    };
    networks.iter().enumerate().map(cost).collect()
}

/// The odd sizes beside their even neighbours, out of the costs of [`all_sizes`] of one cell.
pub fn beside_neighbours(costs: &[SizeCost]) -> Vec<OddSize> {
    let cost = |size: Size| costs.iter().find(|cost| cost.size == size);
    let odd = |[odd, below, above]: [Size; 3]| {
        let (odd, below, above) = (cost(odd)?, cost(below)?, cost(above)?);
        let neighbours = (below.cycles_per_mac + above.cycles_per_mac) / 2.0;
        Some(OddSize { cost: odd.clone(), neighbours, dearer: odd.cycles_per_mac / neighbours - 1.0 })
    };
    odd_sizes().into_iter().filter_map(odd).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_are_held_against_their_neighbours() {
        let cost = |&size: &Size| SizeCost {
            cell: "gru".into(),
            size,
            macs: 1,
            cycles: 0,
            cycles_per_mac: if size.units == 65 { 3.0 } else { f64::from(size.units % 64) },
        };
        let costs: Vec<_> = all_sizes().iter().map(cost).collect();
        let odd = beside_neighbours(&costs);
        assert_eq!(odd.len(), ODD_UNITS.len() + ODD_INPUTS.len());
        let found = odd.iter().find(|odd| odd.cost.size.units == 65).unwrap();
        // 64 and 66 units have 0 and 2
        assert_eq!((found.neighbours, found.dearer), (1.0, 2.0));
        assert!(beside_neighbours(&costs[..grid().len()]).is_empty(), "the table alone has no odd sizes");
    }
}
