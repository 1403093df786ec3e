//! The plugin that counts, compiled where it is not yet.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refrain::crc32;
use refrain_trainer::setup::{Qemu, QemuVersion};

use super::error::{CountError, in_file};

/// The oldest QEMU whose plugin interface the plugin speaks.
const MINIMUM_QEMU: QemuVersion = QemuVersion(9, 1);

/// The compiled plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    library: PathBuf,
}

impl Plugin {
    /// Compiles the plugin into `target/`, unless that was done before, with the C compiler that `CC` names, else with
    /// `cc`, which is there wherever Rust links programs; and sees whether `qemu` takes plugins.
    ///
    /// # Errors
    /// [`CountError`]: which of those is missing.
    pub fn new(qemu: &Qemu) -> Result<Self, CountError> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compiler = env::var("CC").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "cc".into());
        check_version(qemu)?;
        let plugin =
            compiled(&compiler, &package.join("plugin/m4_cycles.c"), &package.join("../target/plugin"))?;
        plugin.check_support(qemu)?;
        Ok(plugin)
    }

    /// What QEMU takes behind `-plugin`, to count the calls of the function at `address` into the file `out`.
    pub fn argument(&self, address: u64, out: &Path) -> String {
        // in an option of QEMU's a comma stands doubled
        let [library, out] = [&self.library, out].map(|path| path.display().to_string().replace(',', ",,"));
        format!("{library},function={address:#x},out={out}")
    }

    /// Whether QEMU knows of plugins at all: it looks at its options in turn, so one that does not, ends with an error
    /// before it comes to say its version.
    fn check_support(&self, qemu: &Qemu) -> Result<(), CountError> {
        let argument = self.argument(1, Path::new("calls.txt"));
        let asked = Command::new(&qemu.program)
            .args(["-plugin", &argument, "-version"])
            .stdin(Stdio::null())
            .output();
        let output = asked.map_err(in_file(&qemu.program, "run it"))?;
        match output.status.success() {
            true => Ok(()),
            false => {
                let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                Err(CountError::NoPlugins { program: qemu.program.clone(), words })
            }
        }
    }
}

fn check_version(qemu: &Qemu) -> Result<(), CountError> {
    let (found, minimum) = (qemu.version, MINIMUM_QEMU);
    match found >= minimum {
        true => Ok(()),
        false => Err(CountError::OldQemu { program: qemu.program.clone(), found, minimum }),
    }
}

/// The plugin out of a folder, compiled into it if it is not there: its name tells which source it was made of.
fn compiled(compiler: &str, source: &Path, folder: &Path) -> Result<Plugin, CountError> {
    let text = fs::read(source).map_err(in_file(source, "read the plugin"))?;
    fs::create_dir_all(folder).map_err(in_file(folder, "make this folder"))?;
    let folder = folder.canonicalize().map_err(in_file(folder, "find this folder"))?;
    let library = folder.join(format!("m4_cycles-{:08x}.so", crc32(&text)));
    if !library.is_file() {
        // made under a name of its own and then renamed, for several processes may come here at once
        let place = tempfile::NamedTempFile::new_in(&folder).map_err(in_file(&folder, "write here"))?;
        compile(compiler, source, place.path())?;
        let persisted = place.into_temp_path().persist(&library);
        persisted.map_err(|error| in_file(&library, "put the plugin there")(error.error))?;
    }
    Ok(Plugin { library })
}

fn compile(compiler: &str, source: &Path, library: &Path) -> Result<(), CountError> {
    let output = Command::new(compiler)
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .args([library, source])
        .stdin(Stdio::null())
        .output()
        .map_err(|reason| CountError::NoCompiler { compiler: compiler.into(), reason })?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(CountError::Compile { source_file: source.to_owned(), compiler: compiler.into(), messages })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("plugin.c");
        fs::write(&source, "int answer(void) { return 42; }\n").unwrap();
        let first = compiled("cc", &source, folder.path()).unwrap();
        let again = compiled("a compiler that is not there", &source, folder.path()).unwrap();
        assert_eq!(first.library, again.library);
        assert!(fs::read(&first.library).unwrap().starts_with(b"\x7fELF"));
    }

    #[test]
    fn what_cannot_be_compiled_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("plugin.c");
        fs::write(&source, "int answer(void) { return forty_two; }\n").unwrap();
        let error = compiled("cc", &source, folder.path()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{}: cc cannot compile this plugin", source.display())),
            "{error}"
        );
        assert!(error.contains("forty_two"), "{error}");
        let error = compiled("no-such-compiler", &source, folder.path()).unwrap_err().to_string();
        assert!(error.contains("no-such-compiler cannot be run: "), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-made is left");
    }

    #[test]
    fn a_qemu_that_cannot_take_it_is_named() {
        let qemu = |version| Qemu { program: "/usr/bin/false".into(), version };
        assert!(check_version(&qemu(QemuVersion(9, 1))).is_ok());
        let error = check_version(&qemu(QemuVersion(7, 2))).unwrap_err().to_string();
        assert!(error.contains("is version 7.2, ") && error.contains("needs 9.1 or newer"), "{error}");
        let plugin = Plugin { library: "a,b.so".into() };
        let error = plugin.check_support(&qemu(QemuVersion(10, 0))).unwrap_err().to_string();
        assert!(error.starts_with("/usr/bin/false takes no plugin, "), "{error}");
    }

    #[test]
    fn commas_in_paths_are_doubled() {
        let plugin = Plugin { library: "a,b.so".into() };
        assert_eq!(plugin.argument(0x1235, Path::new("c,d")), "a,,b.so,function=0x1235,out=c,,d");
    }
}
