//! Arguments -> [`vaglio::cli`]. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    vaglio::cli::run()
}
