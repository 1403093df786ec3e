//! The program `classify`, built for a machine that is no board, and run there.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use refrain_trainer::data::SplitView;
use refrain_trainer::evaluate::link_bytes;
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup::rust_target;
use wasmi::{Config, Engine, Linker, Module, Store};

/// A model and sequences for it.
#[derive(Clone, Debug)]
pub struct Job {
    model: Vec<u8>,
    sequences: Vec<u8>,
    logits_bytes: usize,
}

impl Job {
    /// Sequences as rows on the link.
    ///
    /// # Panics
    /// If the samples are not of the model's kind.
    pub fn new(file: &ModelFile, samples: SplitView<'_>) -> Self {
        let model = file.model();
        let header = model.header();
        let rows = |index| link_bytes(header.input.samples, samples.sequence(index)).into_owned();
        Self {
            model: file.as_bytes().to_vec(),
            sequences: (0..samples.count()).flat_map(rows).collect(),
            logits_bytes: samples.count() * usize::from(header.shape.outputs) * 4,
        }
    }
}

/// A program for this machine.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// By the kernel that is chosen for this machine.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn of_this_machine() -> Self {
        Self(build("host", None, &[]))
    }

    /// By the portable kernel.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn portable() -> Self {
        Self(build("portable", None, &[("REFRAIN_KERNEL", "portable")]))
    }

    /// The logits of a job, and how long the program ran.
    ///
    /// # Panics
    /// If it fails.
    pub fn classify(&self, job: &Job) -> (Vec<u8>, Duration) {
        let folder = folder_of(job);
        let sequences = File::open(folder.path().join("sequences.bin")).expect("it was written");
        let mut program = Command::new(&self.0);
        program.arg(folder.path().join("model.rfn")).stdin(sequences).stderr(Stdio::inherit());
        let start = Instant::now();
        let output = program.output().expect("the program runs");
        let time = start.elapsed();
        assert!(output.status.success(), "{}", output.status);
        (output.stdout, time)
    }
}

/// A module of WebAssembly, which is interpreted.
#[derive(Clone, Debug)]
pub struct Wasm(Vec<u8>);

impl Wasm {
    /// As the target has it: without vectors, by the portable kernel.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn plain() -> Self {
        Self::built("wasm", "")
    }

    /// With vectors of 128 bits, by the kernel for them.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn simd() -> Self {
        Self::built("wasm-simd", "-Ctarget-feature=+simd128")
    }

    fn built(folder: &str, flags: &str) -> Self {
        let settings = [("CARGO_ENCODED_RUSTFLAGS", flags)];
        let program = build(folder, Some("wasm32-unknown-unknown"), &settings).with_extension("wasm");
        Self(fs::read(program).expect("it was built"))
    }

    /// The logits of a job, and the fuel that it took: about one for each instruction.
    ///
    /// # Panics
    /// If it fails.
    pub fn classify(&self, job: &Job) -> (Vec<u8>, u64) {
        let engine = Engine::new(Config::default().consume_fuel(true));
        let module = Module::new(&engine, &self.0).expect("a module");
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX).expect("fuel is consumed");
        let linker = Linker::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module).expect("a module without imports");
        let reserve = instance.get_typed_func::<u32, u32>(&store, "reserve").expect("it is exported");
        let classify =
            instance.get_typed_func::<(u32, u32), u32>(&store, "classify").expect("it is exported");
        let memory = instance.get_memory(&store, "memory").expect("it is exported");

        let [model, sequences] = [&job.model, &job.sequences].map(|bytes| bytes.len() as u32);
        let sequences_at = model.next_multiple_of(16);
        let logits_at = sequences_at + sequences.next_multiple_of(16);
        let base = reserve.call(&mut store, logits_at + job.logits_bytes as u32).expect("there is memory");
        let at = |offset: u32| (base + offset) as usize;
        memory.write(&mut store, at(0), &job.model).expect("it was reserved");
        memory.write(&mut store, at(sequences_at), &job.sequences).expect("it was reserved");
        let before = store.get_fuel().expect("fuel is consumed");
        let bytes = classify.call(&mut store, (model, sequences)).expect("no trap");
        let after = store.get_fuel().expect("fuel is consumed");
        let mut logits = vec![0; bytes as usize];
        memory.read(&store, at(logits_at), &mut logits).expect("it was reserved");
        (logits, before - after)
    }
}

/// RISC-V under QEMU; `None` where that is not installed.
///
/// # Panics
/// If it cannot be built.
pub fn riscv() -> Option<impl Fn(&Job) -> Vec<u8>> {
    const QEMU: &str = "qemu-system-riscv32";
    Command::new(QEMU).arg("--version").stdout(Stdio::null()).status().ok()?;
    let program = build("riscv", Some("riscv32imc-unknown-none-elf"), &[]);
    Some(move |job: &Job| {
        let folder = folder_of(job);
        let status = Command::new(QEMU)
            .args(["-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(&program)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .status()
            .expect("QEMU runs");
        assert!(status.success(), "{status}");
        fs::read(folder.path().join("logits.bin")).expect("the program has written it")
    })
}

/// A folder with the files of a job.
fn folder_of(job: &Job) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, bytes) in [("model.rfn", &job.model), ("sequences.bin", &job.sequences)] {
        fs::write(folder.path().join(name), bytes).expect("a file can be written");
    }
    folder
}

/// Builds the program into a folder of that name, for that target or this machine.
fn build(folder: &str, target: Option<&str>, settings: &[(&str, &str)]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/machines").join(folder);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "refrain-classify",
        "--target-dir",
    ]);
    cargo.arg(&folder).current_dir(&root).envs(settings.iter().copied());
    if let Some(target) = target {
        rust_target(&root, target).expect("the target can be had");
        cargo.args(["--target", target]);
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "cargo ended with {status}");
    folder.join(target.unwrap_or_default()).join("release/classify")
}
