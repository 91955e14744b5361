//! Runs the parts and writes the page. `scripts/bench` builds what it needs.
#![forbid(unsafe_code)]

use hqv_bench::options::Options;
use hqv_bench::part::{Bench, run};
use hqv_bench::report::{load_average, machine, page};
use std::process::ExitCode;

// The daemon's: the key derivation that is timed here must cost what it costs there.
#[global_allocator]
static ALLOCATOR: hqv_sys::memory::WipingAllocator = hqv_sys::memory::WipingAllocator;

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench: {e}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> hqv_bench::Result<()> {
    hqv_sys::memory::tune();
    let before = load_average();
    let options = Options::parse(std::env::args().skip(1))?;
    let sections = run(&mut Bench::new(options.clone()))?;
    let page = page(&sections, &options, &machine(&options.dir, &before)?)?;
    println!("{page}");
    if let Some(out) = &options.out {
        std::fs::write(out, &page)?;
    }
    Ok(())
}
