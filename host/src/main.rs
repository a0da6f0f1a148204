//! The binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(stepwell::sandbox::COMPILE_COMPONENT) {
        return stepwell::sandbox::compile_child();
    }
    ExitCode::FAILURE
}
