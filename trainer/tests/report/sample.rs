//! Pages as they come out of real runs: three cells on images, two networks for a regression, one for each timestep.

use refrain_trainer::report::{
    Board, ClassResults, Data, Epoch, Layer, Measure, Mistake, Network, OutputResults, Page, Picture,
    Results, Run, Task, Timeline, Track, Training, ValueResults,
};

/// Numbers from 0 to 1 that look random.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// What differs between the runs of a page.
struct Sketch {
    name: &'static str,
    parameters: usize,
    epochs: u32,
    /// Error rate or loss that it ends at, and how many epochs it takes for a good part of the way.
    end: f64,
    pace: f64,
    instructions: u64,
}

impl Sketch {
    fn run(&self, has_accuracy: bool, results: Results) -> Run {
        Run {
            name: self.name.into(),
            network: Network {
                cell: self.name.split(' ').next().unwrap_or_default().into(),
                layers: 1,
                units: 64,
                parameters: self.parameters,
                numbers: "int8".into(),
                model_bytes: self.parameters + 2_500,
            },
            training: Some(Training {
                recipe: "best".into(),
                seed: 1,
                kept_epoch: Some(self.epochs - 2),
                seconds: Some(f64::from(self.epochs) * 2.7),
                command: format!(
                    "refrain train {} --data mnist --units 64 --seed 1 --out runs/{}",
                    self.name, self.name
                ),
                history: self.history(has_accuracy),
            }),
            results,
            layers: vec![self.layer("cell", 0.0011), self.layer("dense", 0.0026)],
            board: Some(Board {
                name: "mps2-an386".into(),
                emulated: true,
                samples: 10_000,
                host_matches: true,
                instructions: Some(self.instructions),
                code_bytes: Some(35_040),
                model_bytes: self.parameters as u64 + 2_500,
                static_bytes: Some(24),
                stack_bytes: 3_080 + self.instructions / 8_000,
            }),
        }
    }

    fn history(&self, has_accuracy: bool) -> Vec<Epoch> {
        let mut noise = Noise(self.parameters as u64);
        let mut wobble = || 1.0 + 0.12 * (noise.next() - 0.5);
        let error = |epoch: u32| self.end + 0.6 * (-f64::from(epoch) / self.pace).exp();
        let measure = |error: f64| Measure {
            loss: 3.2 * error,
            accuracy: has_accuracy.then_some(1.0 - error),
            mean_absolute_error: (!has_accuracy).then_some(9.0 * error),
        };
        (1..=self.epochs)
            .map(|epoch| Epoch {
                epoch,
                train: measure(1.3 * error(epoch) * wobble()),
                validation: Some(measure(error(epoch) * wobble())),
            })
            .collect()
    }

    fn layer(&self, name: &str, part: f64) -> Layer {
        let signal_rms = 0.4 + self.pace / 10.0;
        let rms = part * signal_rms * (1.0 + self.end * 20.0);
        Layer { name: name.into(), rms, max: 7.0 * rms, signal_rms }
    }
}

const CELLS: [Sketch; 3] = [
    Sketch {
        name: "simple-rnn",
        parameters: 6_858,
        epochs: 30,
        end: 0.0197,
        pace: 3.0,
        instructions: 633_520,
    },
    Sketch { name: "lstm", parameters: 24_714, epochs: 15, end: 0.0068, pace: 1.4, instructions: 2_443_755 },
    Sketch { name: "gru", parameters: 18_954, epochs: 15, end: 0.0072, pace: 1.7, instructions: 1_959_690 },
];

/// The three cells on images of ten digits.
pub(crate) fn images() -> Page {
    let classes: Vec<String> = (0..10).map(|digit: u8| digit.to_string()).collect();
    let runs = CELLS
        .iter()
        .map(|sketch| sketch.run(true, Results::Classes(class_results(&classes, sketch.end))))
        .collect();
    Page { data: data("mnist", 10_000, (28, 28), 28, Task::Classes(classes)), runs, notes: Vec::new() }
}

fn data(name: &str, samples: usize, timesteps: (usize, usize), inputs: usize, task: Task) -> Data {
    Data {
        name: name.into(),
        origin: format!("The data: {name}, made up for this page."),
        samples,
        timesteps,
        inputs,
        task,
        per_step: false,
    }
}

fn class_results(classes: &[String], error: f64) -> ClassResults {
    let confusion = confusion(classes.len(), error);
    let count = |pairs: &dyn Fn(usize) -> u64| (0..classes.len()).map(pairs).collect::<Vec<u64>>();
    let rows = count(&|label| confusion[label].iter().sum());
    let columns = count(&|class| confusion.iter().map(|row| row[class]).sum());
    let right = count(&|class| confusion[class][class]);
    let part = |all: &[u64]| -> Vec<Option<f64>> {
        right.iter().zip(all).map(|(&right, &all)| (all > 0).then(|| right as f64 / all as f64)).collect()
    };
    let accuracy = right.iter().sum::<u64>() as f64 / rows.iter().sum::<u64>() as f64;
    let mistakes = (0..12).map(|index| mistake(classes, index)).collect();
    ClassResults {
        accuracy,
        float_accuracy: Some(accuracy + 0.0002),
        same_class: Some(0.9993),
        macro_f1: accuracy - 0.0004,
        recall: part(&rows),
        precision: part(&columns),
        confusion,
        mistakes,
        timelines: Vec::new(),
    }
}

fn confusion(classes: usize, error: f64) -> Vec<Vec<u64>> {
    let mut noise = Noise(classes as u64 + 5);
    let mut row = |label: usize| -> Vec<u64> {
        let wrong = |noise: &mut Noise| (1900.0 * error / 9.0 * noise.next().powi(3) * 4.0) as u64;
        (0..classes)
            .map(|class| if class == label { 940 + (90.0 * noise.next()) as u64 } else { wrong(&mut noise) })
            .collect()
    };
    (0..classes).map(&mut row).collect()
}

fn mistake(classes: &[String], index: usize) -> Mistake {
    let mut noise = Noise(index as u64 * 977 + 3);
    let (truth, class) = (index * 7 % classes.len(), (index * 3 + 1) % classes.len());
    let predicted = if class == truth { (class + 1) % classes.len() } else { class };
    Mistake {
        sample: index * 613 % 10_000,
        name: None,
        picture: Picture::Image { width: 28, pixels: strokes(&mut noise) },
        truth: classes[truth].clone(),
        predicted: classes[predicted].clone(),
        probability: Some(0.999 - 0.02 * index as f64),
    }
}

/// A curl of a pen on 28 by 28 pixels.
fn strokes(noise: &mut Noise) -> Vec<u8> {
    let [a, b, c, d] = [(); 4].map(|()| noise.next());
    let point = |t: f64| {
        (
            14.0 + (5.0 + 4.0 * a) * (6.0 * t + 5.0 * b).sin(),
            5.0 + 18.0 * t + 4.0 * c * (9.0 * t + 6.0 * d).cos(),
        )
    };
    let ink = |x: f64, y: f64| -> f64 {
        let distance = |step: i32| {
            let (px, py) = point(f64::from(step) / 60.0);
            (px - x).hypot(py - y)
        };
        let nearest = (0..60).map(distance).fold(f64::INFINITY, f64::min);
        255.0 * (1.9 - nearest).clamp(0.0, 1.0)
    };
    (0..28 * 28).map(|place| ink(f64::from(place % 28), f64::from(place / 28)) as u8).collect()
}

/// Two networks that predict two values.
pub(crate) fn values() -> Page {
    let names = ["temperature °C".to_owned(), "pressure hPa".to_owned()];
    let outputs = |spread: f64| {
        [(24.0, 9.0, spread), (1010.0, 22.0, 3.0 * spread)].map(|(centre, reach, spread)| {
            let mut noise = Noise(centre as u64);
            let mut point = || {
                let truth = centre + reach * (2.0 * noise.next() - 1.0);
                let error = spread * (noise.next() + noise.next() + noise.next() - 1.5);
                (truth as f32, (truth + error) as f32)
            };
            let points: Vec<_> = (0..900).map(|_| point()).collect();
            OutputResults {
                mae: 0.4 * spread,
                rmse: 0.5 * spread,
                r2: Some(0.98),
                float_mae: Some(0.39 * spread),
                count: 5_000,
                points,
            }
        })
    };
    let mistakes = |seed: u64| {
        (0..6).map(move |index| Mistake {
            sample: index * 91,
            name: Some(format!("test/a_recording_with_a_long_name_of_its_own/{index:06}.csv")),
            picture: Picture::Lines(waves(seed + index as u64, 3, 48)),
            truth: format!("{}", 20 + index),
            predicted: format!("{}", 23 + index),
            probability: None,
        })
    };
    let run = |sketch: &Sketch, spread| {
        let results = ValueResults {
            outputs: outputs(spread).into(),
            mistakes: mistakes(4).collect(),
            timelines: Vec::new(),
        };
        sketch.run(false, Results::Values(results))
    };
    Page {
        data: data("weather", 5_000, (48, 48), 3, Task::Values(names.into())),
        runs: vec![run(&CELLS[2], 1.2), run(&CELLS[0], 2.6)],
        notes: vec!["The run lstm was left out: it was trained on other data.".into()],
    }
}

fn waves(seed: u64, features: usize, length: usize) -> Vec<Vec<f32>> {
    let mut noise = Noise(seed * 31 + 7);
    let mut wave = |feature: usize| -> Vec<f32> {
        let (rate, phase) = (0.1 + 0.25 * noise.next(), 6.0 * noise.next());
        (0..length)
            .map(|t| ((t as f64 * rate + phase).sin() + feature as f64 + 0.3 * noise.next()) as f32)
            .collect()
    };
    (0..features).map(&mut wave).collect()
}

/// One network that says for each timestep whether something is wrong.
pub(crate) fn timesteps() -> Page {
    let classes = ["normal".to_owned(), "anomaly".to_owned()];
    let timeline = |index: usize| {
        let length = 160 + 20 * index;
        let truth: Vec<u8> =
            (0..length).map(|t| u8::from((60 + 5 * index..90 + 8 * index).contains(&t))).collect();
        let predicted: Vec<u8> =
            (0..length).map(|t| u8::from((64 + 5 * index..97 + 5 * index).contains(&t) || t == 20)).collect();
        let picture = Picture::Lines(waves(index as u64 + 40, 2, length));
        Timeline { sample: 17 * index, name: None, picture, track: Track::Classes { truth, predicted } }
    };
    let results = ClassResults {
        mistakes: Vec::new(),
        timelines: (0..4).map(timeline).collect(),
        ..class_results(&classes, 0.02)
    };
    Page {
        data: Data { per_step: true, ..data("bearing", 300, (160, 220), 2, Task::Classes(classes.into())) },
        runs: vec![CELLS[2].run(true, Results::Classes(results))],
        notes: Vec::new(),
    }
}

/// Names that are HTML, a single epoch, no board, nothing exact.
pub(crate) fn hostile() -> Page {
    let classes = ["<script>document.title = 'taken over'</script>", "a & \"b\"", "' onmouseover='x"]
        .map(str::to_owned);
    let mut page = images();
    let mut results = class_results(&classes, 0.3);
    results.recall[1] = None;
    results.precision[2] = None;
    let mut run = CELLS[1].run(true, Results::Classes(results));
    run.name = "</title><img src=x onerror=alert(1)>".into();
    let training = run.training.as_mut().unwrap();
    training.command = "refrain train lstm --data '<b>&amp;'".into();
    training.history.truncate(1);
    training.history[0].validation = None;
    training.history[0].train.loss = f64::NAN;
    training.kept_epoch = None;
    run.board = None;
    run.layers.clear();
    page.data.name = "<!-- data -->".into();
    page.data.task = Task::Classes(classes.into());
    page.runs = vec![run];
    page
}

/// As [`values`], but for each timestep.
pub(crate) fn value_timesteps() -> Page {
    let mut page = values();
    page.data.per_step = true;
    let timeline = |index: usize| {
        let truth = waves(index as u64 + 3, 2, 90);
        let predicted =
            truth.iter().map(|line| line.iter().map(|value| value * 0.9 + 0.1).collect()).collect();
        let picture = Picture::Lines(waves(index as u64, 3, 90));
        Timeline {
            sample: index,
            name: Some(format!("test/{index:03}.csv")),
            picture,
            track: Track::Values { truth, predicted },
        }
    };
    for run in &mut page.runs {
        if let Results::Values(results) = &mut run.results {
            results.mistakes.clear();
            results.timelines = (0..3).map(timeline).collect();
        }
    }
    page
}
