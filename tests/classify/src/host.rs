//! A machine with an operating system: the model is a file, sequences come on stdin, logits go to stdout.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use refrain::AnyModel;

pub(crate) fn run() -> ExitCode {
    match classify() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn classify() -> Result<(), Box<dyn Error>> {
    let path =
        env::args_os().nth(1).ok_or("no model file is named: classify MODEL.rfn <SEQUENCES >LOGITS")?;
    let file = fs::read(path)?;
    // a model file begins at a multiple of 16
    let mut memory = vec![0u128; file.len().div_ceil(16)];
    let memory = &mut bytemuck::cast_slice_mut(&mut memory)[..file.len()];
    memory.copy_from_slice(&file);
    let model = AnyModel::from_bytes(memory)?;

    let mut sequences = Vec::new();
    io::stdin().read_to_end(&mut sequences)?;
    let mut logits = vec![0; crate::logits_bytes(&model, &sequences)];
    crate::answer(&model, &sequences, &mut logits)?;
    Ok(io::stdout().write_all(&logits)?)
}
