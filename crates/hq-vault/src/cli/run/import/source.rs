//! What stands in the file, and what to do where its readers do not agree.

use std::path::Path;

use hqv_engine::ops::import::OnConflict;
use hqv_engine::transfer::Reader;
use hqv_engine::transfer::import::{self, Assignment, Difference, MAX_FILE, Reading};
use hqv_model::EnvName;
use zeroize::Zeroizing;

use crate::cli::args::import::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::passphrase;
use crate::settings::paths::shown;

/// Lines that are told one by one.
const TOLD: usize = 10;

/// A file as it was read.
pub struct Found {
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its variables, the last of each name.
    pub assignments: Vec<Assignment>,
    /// Lines that a later one undoes.
    pub undone: Vec<(usize, EnvName)>,
}

/// A replaced file must lose nothing that the vault does not hold.
pub fn can_be_replaced(args: &Args, file: &Path) -> Result<(), Failure> {
    if args.on_conflict == OnConflict::Skip {
        return Err(Failure::usage(
            "--replace with --on-conflict skip would lose the values that are skipped",
        )
        .hint("--on-conflict overwrite or rename stores them"));
    }
    if is_json(args, file) || !file.is_file() {
        return Err(Failure::usage("--replace is for a .env file").hint("leave --replace away"));
    }
    Ok(())
}

fn is_json(args: &Args, file: &Path) -> bool {
    args.from_json || file.extension().is_some_and(|end| end == "json")
}

/// The bytes, at most 16 MiB.
pub fn bytes(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read {}", shown(file)), e);
    let read = if file == Path::new("-") {
        hqv_sys::input::read_bounded(&mut std::io::stdin().lock(), MAX_FILE + 1)
    } else {
        let mut open = hqv_sys::input::open_input(file).map_err(|e| failed(&e))?;
        hqv_sys::input::read_bounded(&mut open, MAX_FILE + 1)
    };
    let bytes = read.map_err(|e| failed(&e))?;
    if bytes.len() > MAX_FILE {
        return Err(Failure::from(import::too_large()).hint("nothing was stored"));
    }
    Ok(bytes)
}

/// Reads the file, and asks where it must.
pub fn read(ctx: &Context, args: &Args, file: &Path) -> Result<Found, Failure> {
    let bytes = bytes(file)?;
    let reading = if is_json(args, file) {
        import::read_json(&bytes).map_err(|e| Failure::from(e).or_hint("nothing was stored"))?
    } else {
        variables(ctx, args.reader, file, &bytes)?
    };
    if !reading.problems.is_empty() {
        let told: Vec<String> =
            reading.problems.iter().map(|one| format!("line {} {}", one.line, one.what)).collect();
        return Err(Failure::usage(format!("{}: {}; nothing was stored", shown(file), some(&told, "; ")))
            .hint("mend the lines, or take another --as"));
    }
    if reading.assignments.is_empty() {
        return Err(Failure::usage(format!("{} holds no variable; nothing was stored", shown(file))));
    }
    let (assignments, undone) = reading.last();
    Ok(Found { bytes, assignments, undone })
}

fn variables(ctx: &Context, reader: Option<Reader>, file: &Path, bytes: &[u8]) -> Result<Reading, Failure> {
    let refused = |e| Failure::from(e).or_hint("nothing was stored");
    if let Some(reader) = reader {
        return import::read(reader, bytes).map_err(refused);
    }
    let differences = match import::agreed(bytes).map_err(refused)? {
        Ok(reading) => return Ok(reading),
        Err(differences) => differences,
    };
    let told: Vec<String> =
        differences.iter().map(|Difference { line, what }| format!("line {line}: {what}")).collect();
    ctx.out.warn(format!("{} is not read alike by all its readers:\n  {}", shown(file), some(&told, "\n  ")));
    let asked = passphrase::person_is_there() && file != Path::new("-");
    if !asked {
        return Err(Failure::usage("its readers differ, as told above; nothing was stored")
            .hint("--as node, --as dotenv, --as python or --as bash says who reads it"));
    }
    let answer = hqv_sys::tty::read_line_visible("Read it as node, dotenv, python or bash? ", 16)
        .map_err(|_| Failure::refused("nothing was stored"))?;
    let reader = Reader::parse(answer.trim()).map_err(|_| Failure::refused("nothing was stored"))?;
    import::read(reader, bytes).map_err(refused)
}

fn some(all: &[String], between: &str) -> String {
    let more = all.len().saturating_sub(TOLD);
    let mut told = all.iter().take(TOLD).cloned().collect::<Vec<_>>().join(between);
    if more > 0 {
        told.push_str(&format!("{between}and {more} more"));
    }
    told
}
