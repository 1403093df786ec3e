//! The programs of `tests/panic-free`: links them, and weighs what was linked.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fmt, fs};

use object::elf::SHF_ALLOC;
use object::elf::SHT_NOBITS;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};
use refrain_trainer::setup::{cargo, rust_target};

const PACKAGE: &str = "refrain-panic-free";
const PROFILE: &str = "firmware";

/// What the panic handler calls, and nobody has.
pub const MISSING_FUNCTION: &str = "a_panic_can_be_reached";

/// Names of constant tables: whoever counts code leaves them out.
const TABLES: [&str; 2] = ["activation4TANH", "checksum5TABLE"];

/// A program that was linked.
#[derive(Clone, Debug)]
pub struct Image {
    /// The program.
    pub elf: PathBuf,
    /// Bytes of flash: code and constants, without the tables.
    pub code: u64,
    /// Bytes of constant tables.
    pub tables: u64,
    /// The names of all functions and variables in it, as the linker knows them.
    pub symbols: Vec<String>,
}

/// The linker refuses a program, or it is not even compiled.
#[derive(Clone, Debug)]
pub struct NotLinked {
    /// What cargo, the compiler and the linker said.
    pub messages: String,
}

impl fmt::Display for NotLinked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.messages)
    }
}

/// Links the program of that name in `tests/panic-free/src/bin` for a Rust target, as [`link_for`] does, for any of its
/// cores.
///
/// # Errors
/// As those of [`link_for`].
///
/// # Panics
/// As [`link_for`].
pub fn link(program: &str, target: &str) -> Result<Image, NotLinked> {
    link_for(program, target, None)
}

/// Links the program of that name in `tests/panic-free/src/bin` for a Rust target, and for a core where the target leaves
/// open which extensions it has.
///
/// # Errors
/// [`NotLinked`], with [`MISSING_FUNCTION`] in its messages where a panic can be reached.
///
/// # Panics
/// If the target is not to be had, cargo cannot be run, or what it made cannot be read.
pub fn link_for(program: &str, target: &str, core: Option<&str>) -> Result<Image, NotLinked> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    rust_target(root, target).expect("rustup has the target");
    // a target folder of its own waits for no other cargo
    let target_dir = root.join("target").join("panic-free").join(core.unwrap_or_default());
    let mut cargo = cargo();
    if let Some(core) = core {
        cargo.env("CARGO_ENCODED_RUSTFLAGS", format!("-Ctarget-cpu={core}"));
    }
    let output = cargo
        .args(["build", "--locked", "--package", PACKAGE, "--profile", PROFILE, "--target", target])
        .args(["--bin", program, "--all-features", "--target-dir"])
        .arg(&target_dir)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .expect("cargo can be run");
    if !output.status.success() {
        return Err(NotLinked { messages: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    Ok(Image::read(target_dir.join(target).join(PROFILE).join(program)))
}

impl Image {
    fn read(elf: PathBuf) -> Self {
        let bytes = fs::read(&elf).expect("cargo has put the program there");
        let file = object::File::parse(&*bytes).expect("an ELF");
        let is_loaded = |flags| {
            matches!(flags, SectionFlags::Elf { sh_flags, sh_type, .. }
                if sh_flags.contains(SHF_ALLOC) && sh_type != SHT_NOBITS)
        };
        let flash: u64 =
            file.sections().filter(|section| is_loaded(section.flags())).map(|section| section.size()).sum();
        let mut tables = 0;
        let mut symbols = Vec::new();
        for symbol in file.symbols() {
            let name = symbol.name().expect("names are text");
            if symbol.kind() == SymbolKind::Data && TABLES.iter().any(|table| name.contains(table)) {
                tables += symbol.size();
            }
            symbols.push(name.to_owned());
        }
        Self { elf, code: flash - tables, tables, symbols }
    }

    /// Functions of software floating point in the program.
    pub fn float_functions(&self) -> Vec<&str> {
        self.having(&["__aeabi_f", "__aeabi_d", "__aeabi_i2f", "__aeabi_ui2f", "__aeabi_i2d", "__aeabi_ui2d"])
    }

    /// Functions that allocate.
    pub fn allocating_functions(&self) -> Vec<&str> {
        self.having(&["__rust_alloc", "__rust_realloc", "__rdl_alloc", "malloc"])
    }

    fn having(&self, beginnings: &[&str]) -> Vec<&str> {
        let has = |name: &&str| beginnings.iter().any(|beginning| name.contains(beginning));
        self.symbols.iter().map(String::as_str).filter(has).collect()
    }
}
