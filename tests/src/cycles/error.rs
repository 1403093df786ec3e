//! Why nothing was counted.

use std::io;
use std::path::PathBuf;

use refrain::Shape;
use refrain_trainer::device::DeviceError;
use refrain_trainer::setup::QemuVersion;

/// Why cycles could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// There is no C compiler.
    #[error(
        "cycles are counted by a plugin for QEMU, which is compiled from C, and {compiler} cannot be run: {reason}; \
         install gcc or clang, or name one in CC"
    )]
    NoCompiler {
        /// The program.
        compiler: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The plugin does not compile.
    #[error("{source_file}: {compiler} cannot compile this plugin for QEMU:\n{messages}")]
    Compile {
        /// The plugin.
        source_file: PathBuf,
        /// The program.
        compiler: String,
        /// What it said.
        messages: String,
    },
    /// QEMU is older than the plugin's interface.
    #[error("{program} is version {found}, cycles are counted by a plugin that needs {minimum} or newer")]
    OldQemu {
        /// The program.
        program: PathBuf,
        /// Its version.
        found: QemuVersion,
        /// The oldest that will do.
        minimum: QemuVersion,
    },
    /// QEMU was built without plugins.
    #[error(
        "{program} takes no plugin, and cycles are counted by one; use a QEMU that was built with plugins: {words}"
    )]
    NoPlugins {
        /// The program.
        program: PathBuf,
        /// What it said.
        words: String,
    },
    /// The board did not run.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The firmware has no function to count.
    #[error(
        "the firmware has no function {function}, whose calls are counted; it must not be inlined or renamed"
    )]
    NoFunction {
        /// Its name.
        function: &'static str,
    },
    /// The plugin has counted something else than was asked for.
    #[error("{path}: {found} calls were counted, expected {expected}, one for each sequence")]
    CallCount {
        /// The file of counts.
        path: PathBuf,
        /// Whole lines in it.
        found: usize,
        /// How many sequences there were.
        expected: usize,
    },
    /// The board computes something else than the host.
    #[error("{model} ({shape}): the board's logits are not the host's, so what they cost is worth nothing")]
    Logits {
        /// The model file.
        model: String,
        /// Its sizes.
        shape: Shape,
    },
    /// A file cannot be written or read.
    #[error("{path}: cannot {action}: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system says.
        reason: io::Error,
    },
}

impl CountError {
    /// Whether this machine lacks what it takes to count, and nothing else is wrong.
    pub fn is_lack_of_tools(&self) -> bool {
        matches!(self, Self::NoCompiler { .. } | Self::OldQemu { .. } | Self::NoPlugins { .. })
    }
}

/// Names the file in an error of the system.
pub(super) fn in_file(path: &std::path::Path, action: &'static str) -> impl FnOnce(io::Error) -> CountError {
    move |reason| CountError::File { path: path.to_owned(), action, reason }
}
