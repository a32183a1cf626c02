//! The desktop console.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

// Freed memory is wiped, so that a secret that passed through a buffer does not stay behind in it.
#[global_allocator]
static ALLOCATOR: console::ZeroingAllocator = console::ZEROING_ALLOCATOR;

fn main() -> std::process::ExitCode {
    match posture_window::run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Posture Console did not start: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
