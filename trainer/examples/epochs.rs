//! How fast whole epochs are, and how much memory training takes: MNIST's rows, one layer of 64 units, batches of 64, plain
//! SGD, no validation. Prints one JSON object; `benches/peers.py` compares it with what other trainers reach.
//!
//! ```text
//! cargo run --release -p refrain-trainer --example epochs -- lstm --epochs 3 --threads 2
//! cargo run --release -p refrain-trainer --example epochs -- lstm --repeat 10
//! ```
//!
//! `--repeat 10` trains on every image ten times over, held in memory ten times: the data is all that grows. Memory is what
//! Linux tells of a process; elsewhere it is `null`.

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use clap::Parser;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use ndarray::{Array3, ArrayView3, Axis, s};
use refrain::CellKind;
use refrain_trainer::data::{self, Dataset, Images, Source, Split};
use refrain_trainer::train::{EpochDone, Observer, Options, Plan, Progress, Recipe, train};
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// simple-rnn, lstm or gru
    #[arg(value_parser = cell)]
    cell: CellKind,
    /// Passes over the images
    #[arg(long, default_value_t = 3)]
    epochs: u32,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Images, the first of the set; all by default
    #[arg(long)]
    samples: Option<usize>,
    /// How often each image is in memory
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// As in `refrain train`
    #[arg(long, default_value = "mnist")]
    data: Source,
}

fn cell(name: &str) -> Result<CellKind, String> {
    CellKind::from_name(name)
        .ok_or_else(|| format!("no cell is called {name}; there are simple-rnn, lstm and gru"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let loaded = data::load(Some(&arguments.data))?.dataset;
    let dataset = repeated(&loaded, arguments.samples.unwrap_or(usize::MAX), arguments.repeat)?;
    drop(loaded);
    let options = Options {
        recipe: Recipe::Article,
        epochs: Some(arguments.epochs),
        threads: Some(arguments.threads),
        ..Options::new(arguments.cell)
    };
    let mut watch = Watch::default();
    train(&options, &dataset, &mut watch)?;

    let split = dataset.train();
    let object = json!({
        "cell": arguments.cell.to_string(),
        "threads": arguments.threads,
        "samples": split.count(),
        "data_mib": (split.count() * split.timesteps() * split.inputs()) as f64 / MIB,
        "rates": watch.rates,
        "resident_mib": watch.resident,
        "peak_mib": memory("VmHWM"),
        "flop_per_sample": flop_per_sample(&options, &dataset),
        "gemm_gflops": gemm_rate(arguments.threads),
    });
    println!("{object}");
    Ok(())
}

const MIB: f64 = (1 << 20) as f64;

/// The first `samples` training images, each `repeat` times, and two to validate with, which takes no time.
fn repeated(dataset: &Dataset, samples: usize, repeat: usize) -> Result<Dataset, Box<dyn Error>> {
    let Images { pixels, labels } = dataset.train().view().first(samples).images()?;
    let few = split(pixels.slice(s![..2, .., ..]), &labels[..2], 1)?;
    Ok(Dataset::of_images("images", split(pixels, labels, repeat)?, few)?)
}

fn split(pixels: ArrayView3<'_, u8>, labels: &[u8], repeat: usize) -> Result<Split, data::DataError> {
    let (count, rows, columns) = pixels.dim();
    let mut all = Array3::zeros((count * repeat, rows, columns));
    all.axis_chunks_iter_mut(Axis(0), count).for_each(|mut part| part.assign(&pixels));
    Split::of_images(all, labels.repeat(repeat), "images", "labels")
}

/// Notes how long epochs take, and the memory after each.
#[derive(Default)]
struct Watch {
    epoch_began: Option<Instant>,
    samples_per_epoch: usize,
    /// Samples a second, epoch by epoch.
    rates: Vec<f64>,
    /// MiB, epoch by epoch.
    resident: Vec<Option<f64>>,
}

impl Observer for Watch {
    fn started(&mut self, plan: &Plan) {
        self.samples_per_epoch = plan.samples_per_epoch;
        self.epoch_began = Some(Instant::now());
    }

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &EpochDone<'_>) -> ControlFlow<()> {
        let now = Instant::now();
        if let Some(began) = self.epoch_began.replace(now) {
            self.rates.push(self.samples_per_epoch as f64 / now.duration_since(began).as_secs_f64());
        }
        self.resident.push(memory("VmRSS"));
        ControlFlow::Continue(())
    }
}

/// One of the figures that Linux keeps of this process's memory, in MiB.
fn memory(figure: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(figure))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Additions and multiplications of the matrix products for one sample, the only ones that count. Each timestep multiplies
/// the inputs by the kernel and, but for the first, the state by the recurrent kernel; going back each of these products
/// takes another for the weights, and the recurrent one takes one for the state before. So does the dense layer.
fn flop_per_sample(options: &Options, dataset: &Dataset) -> usize {
    let (timesteps, inputs, outputs) = (dataset.timesteps(), dataset.inputs(), dataset.outputs());
    let units = usize::from(options.units);
    let per_gate_row = 6 * (timesteps - 1) * units + 4 * timesteps * inputs;
    options.cell.gates() * units * per_gate_row + 6 * units * outputs
}

/// Additions and multiplications in units of 1e9 a second that this machine reaches in large products: the best of a few, by
/// as many threads as train, with the back end that trains.
fn gemm_rate(threads: usize) -> f64 {
    const SIZE: usize = 1024;
    const PRODUCTS: usize = 4;
    let product = || {
        let (a, b) = (Mat::<f32>::full(SIZE, SIZE, 0.5), Mat::<f32>::full(SIZE, SIZE, 0.25));
        let mut c = Mat::<f32>::zeros(SIZE, SIZE);
        let mut run = || matmul(c.as_mut(), Accum::Replace, black_box(a.as_ref()), b.as_ref(), 1.0, Par::Seq);
        run();
        let began = Instant::now();
        (0..PRODUCTS).for_each(|_| run());
        black_box(c);
        (PRODUCTS * 2 * SIZE.pow(3)) as f64 * 1e-9 / began.elapsed().as_secs_f64()
    };
    let all_threads = || {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(product)).collect();
            workers.into_iter().map(|worker| worker.join().expect("a product does not panic")).sum()
        })
    };
    (0..5).map(|_| all_threads()).fold(0.0, f64::max)
}
