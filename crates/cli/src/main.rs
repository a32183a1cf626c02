//! `posture`: the console's use cases in a terminal.
//!
//! Exit codes: 0 fine, 1 failed, 2 usage, 3 findings at or above `--fail-on`, or a log of acts that does not hold.

mod arguments;
mod commands;
mod print;
mod secrets;

use clap::Parser;
use std::process::ExitCode;

// Freed memory is wiped, so that a secret that passed through a buffer does not stay behind in it.
#[global_allocator]
static ALLOCATOR: console::ZeroingAllocator = console::ZEROING_ALLOCATOR;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    console::log_to_stderr(arguments.verbose);
    let json = arguments.json;
    match commands::run(arguments) {
        Ok(commands::Ending::Fine) => ExitCode::SUCCESS,
        Ok(commands::Ending::FindingsAtOrAbove | commands::Ending::ChainBroken) => ExitCode::from(3),
        Err(commands::Stop::Usage(sentence)) => {
            print::usage(&sentence);
            ExitCode::from(2)
        }
        Err(commands::Stop::Failed(failure)) => {
            print::failure(&failure, json);
            ExitCode::from(1)
        }
    }
}
