//! The command `refrain`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
