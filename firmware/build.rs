//! Builds the firmware around a board and the models it is given.
//!
//! - `REFRAIN_BOARD`: the board, `mps2-an386` where it is not set. A board is `src/board/FAMILY/NAME.rs` and the memory
//!   layout `src/board/FAMILY/NAME.x` (with `_` for `-`).
//! - `REFRAIN_MODELS`: model files, separated as in `PATH`; where it is not set, all of `models/*.rfn`. A path
//!   that is not absolute starts at this package's folder.
//!
//! On the host there is nothing to do: the program is empty there.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use refrain::{AnyModel, CellKind, Header, Numbers, Samples, Shape};

const DEFAULT_BOARD: &str = "mps2-an386";

/// Model numbers are one byte on the link.
const MAX_MODELS: usize = 255;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REFRAIN_BOARD");
    println!("cargo::rerun-if-env-changed=REFRAIN_MODELS");
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> Outcome<()> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let layouts = layouts(&package.join("src/board"))?;
    let values = |of: fn(&Path) -> String| {
        layouts.iter().map(|layout| format!("\"{}\"", of(layout))).collect::<Vec<_>>().join(", ")
    };
    println!("cargo::rustc-check-cfg=cfg(board, values({}))", values(board_name));
    println!("cargo::rustc-check-cfg=cfg(family, values({}))", values(family));
    println!("cargo::rustc-check-cfg=cfg(stack_limit)");
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    describe_core()?;
    choose_board(&package, &out, &layouts)?;
    fs::write(out.join("models.rs"), declare(&model_files(&package)?)?)?;
    Ok(())
}

/// The memory layouts of all boards, each in the folder of its family.
fn layouts(folder: &Path) -> Outcome<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut layouts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            layouts.extend(files(&path, "x")?);
        }
    }
    layouts.sort();
    Ok(layouts)
}

/// The board of a memory layout.
fn board_name(layout: &Path) -> String {
    stem(layout).replace('_', "-")
}

/// The family of a board: the folder that its memory layout lies in.
fn family(layout: &Path) -> String {
    layout.parent().map(stem).unwrap_or_default()
}

/// Says whether the processor has a register for how far the stack may reach.
fn describe_core() -> Outcome<()> {
    if env::var("TARGET")?.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=stack_limit");
    }
    Ok(())
}

/// Says which board is chosen and of which family it is, and links for it.
fn choose_board(package: &Path, out: &Path, layouts: &[PathBuf]) -> Outcome<()> {
    let name = env::var("REFRAIN_BOARD").unwrap_or_else(|_| DEFAULT_BOARD.into());
    let Some(layout) = layouts.iter().find(|layout| board_name(layout) == name) else {
        let names: Vec<_> = layouts.iter().map(|layout| board_name(layout)).collect();
        return Err(format!("REFRAIN_BOARD is {name}, expected one of: {}", names.join(", ")).into());
    };
    println!("cargo::rustc-cfg=board=\"{name}\"");
    println!("cargo::rustc-cfg=family=\"{}\"", family(layout));
    let stack = package.join("src/stack.x");
    println!("cargo::rerun-if-changed={}", stack.display());
    fs::write(out.join("memory.x"), fs::read_to_string(layout)? + &fs::read_to_string(&stack)?)?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}

/// The model files to embed, in the order of their numbers.
fn model_files(package: &Path) -> Outcome<Vec<PathBuf>> {
    let files = match env::var_os("REFRAIN_MODELS").filter(|list| !list.is_empty()) {
        Some(list) => env::split_paths(&list).map(|file| package.join(file)).collect(),
        None => {
            let folder = package.join("models");
            println!("cargo::rerun-if-changed={}", folder.display());
            let mut files = files(&folder, "rfn")?;
            files.sort_by_key(|file| (table_order(file), file.clone()));
            files
        }
    };
    match files.len() {
        0 => {
            Err("there is no model to embed: put .rfn files into firmware/models or name them, separated as \
                  in PATH, in REFRAIN_MODELS"
                .into())
        }
        1..=MAX_MODELS => Ok(files),
        found => Err(format!("{found} models are to be embedded, at most {MAX_MODELS} fit").into()),
    }
}

/// Models named after a cell come first, in the order in which tables show the cells.
fn table_order(file: &Path) -> usize {
    let cell = CellKind::from_name(&stem(file));
    CellKind::ALL.iter().position(|&kind| Some(kind) == cell).unwrap_or(CellKind::ALL.len())
}

/// The call of `models!`, see `src/models.rs`, that declares these models.
fn declare(files: &[PathBuf]) -> Outcome<String> {
    let (mut row, mut logits) = (0, 0);
    let mut networks = String::new();
    for (number, path) in files.iter().enumerate() {
        println!("cargo::rerun-if-changed={}", path.display());
        let file = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (buffer, start) = aligned(&file);
        let model = AnyModel::from_bytes(&buffer[start..][..file.len()])
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let header = model.header();
        row = row.max(header.row_bytes());
        logits = logits.max(usize::from(header.shape.outputs) * 4);
        let text = path.to_str().ok_or_else(|| format!("{}: the path is not UTF-8", path.display()))?;
        writeln!(networks, "    model_{number}: {} = {text:?},", network(header))?;
    }
    Ok(format!("models! {{\n    row: {row}, logits: {logits};\n{networks}}}\n"))
}

/// The type of a network, as `models!` takes it.
fn network(header: &Header<'_>) -> String {
    let (numbers, bits) = match header.numbers {
        Numbers::Int8 => ("cell", ""),
        Numbers::Int4 => ("cell", "4"),
        Numbers::F32 => ("float", ""),
    };
    let cell = match header.cell {
        CellKind::SimpleRnn => "SimpleRnn",
        CellKind::Lstm => "Lstm",
        CellKind::Gru => "Gru",
    };
    let samples = match header.input.samples {
        Samples::U8 | Samples::I16 => "i16",
        Samples::F32 => "f32",
    };
    let Shape { inputs, units, outputs, layers } = header.shape;
    format!("Network<{numbers}::{cell}{bits}, {inputs}, {units}, {outputs}, {layers}, {samples}>")
}

/// A copy of `file` that begins at a multiple of 16, and where in the copy it begins.
fn aligned(file: &[u8]) -> (Vec<u8>, usize) {
    let mut buffer = vec![0; file.len() + 15];
    let start = buffer.as_ptr().align_offset(16);
    buffer[start..][..file.len()].copy_from_slice(file);
    (buffer, start)
}

/// The files of a folder whose names end in `.extension`, sorted; none where there is no folder.
fn files(folder: &Path, extension: &str) -> Outcome<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The file's name without its ending.
fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
