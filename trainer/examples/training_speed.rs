//! How fast the three cells train: samples a second on random sequences of 28 x 28, 64 units, batches of 64.
//!
//! ```text
//! RAYON_NUM_THREADS=2 cargo run --release -p refrain-trainer --example training_speed
//! ```

use std::time::Instant;

use ndarray::Array3;
use refrain::{CellKind, Shape};
use refrain_trainer::nn::{Algorithm, Batch, Network, Objective, Optimizer, Trainer};

const BATCH: usize = 64;
const STEPS: usize = 300;

fn main() {
    let shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };
    let x =
        Array3::from_shape_fn((BATCH, 28, 28), |(b, t, i)| ((b * 31 + t * 17 + i * 7) % 256) as f32 / 255.0);
    let labels: Vec<u8> = (0..BATCH).map(|b| (b % 10) as u8).collect();
    let batch = Batch::labelled(x.view(), &labels);
    println!("{} threads", rayon::current_num_threads());
    for cell in CellKind::ALL {
        let mut network = Network::new(cell, shape, 1);
        let mut trainer = Trainer::new(&network);
        let mut optimizer = Optimizer::new(Algorithm::ADAM).with_clip_norm(1.0);
        let mut step = || {
            trainer.backpropagate(&mut network, &batch, &Objective::CLASSIFICATION);
            optimizer.step(&mut network, trainer.gradients(), 1e-3);
        };
        (0..STEPS / 10).for_each(|_| step());
        let start = Instant::now();
        (0..STEPS).for_each(|_| step());
        let rate = (STEPS * BATCH) as f64 / start.elapsed().as_secs_f64();
        println!("{cell:<10} {rate:>9.0} samples/s, {:.2} s for 60,000", 60_000.0 / rate);
    }
}
