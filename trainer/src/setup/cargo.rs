//! Cargo, run by a program of this workspace.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// The cargo that runs this program, or the one in `PATH`, without the settings of a build that it runs in.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os().filter(|(name, _)| !is_inherited(name)) {
        cargo.env_remove(name);
    }
    cargo
}

/// Whether the build may see an environment variable: whatever would change what is compiled it may not, so that
/// it is the same under `cargo test`, `cargo clippy` or a shell. How cargo reaches registries stays as it is.
fn is_inherited(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let reaches_registries =
        ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_"];
    if reaches_registries.iter().any(|prefix| name.starts_with(prefix)) {
        return true;
    }
    let changes_the_build =
        ["CARGO", "RUSTFLAGS", "RUSTC", "RUSTDOC", "MAKEFLAGS", "MFLAGS", "DEFMT_", "REFRAIN_"];
    !changes_the_build.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_an_outer_cargo_are_not_inherited() {
        for name in [
            "CARGO_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_PROFILE_FIRMWARE_LTO",
            "CARGO_BUILD_TARGET",
            "MAKEFLAGS",
            "CARGO_MAKEFLAGS",
            "DEFMT_LOG",
        ] {
            assert!(!is_inherited(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "https_proxy",
        ] {
            assert!(is_inherited(OsStr::new(name)), "{name}");
        }
    }
}
