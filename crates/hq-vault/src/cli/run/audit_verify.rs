//! `audit verify`, `public-key`, `checkpoint`.
//!
//! The running vault verifies everything, records' contents too. Files and a
//! public key need neither vault nor secret: the same verifier runs here.

use std::path::PathBuf;

use hqv_api::{AuditFinding, AuditReport};
use hqv_audit::verify::{self, Level, Options, Report};
use hqv_audit::{AuditError, AuditPublic, Checkpoint};

use crate::cli::args::audit::Verify;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::output::spinner::Spinner;
use crate::settings::paths::shown;

/// Proves the record, or says where it is wrong: exit 1.
pub fn run(ctx: &Context, args: &Verify) -> Result<(), Failure> {
    let report = if args.files.is_empty() { of_the_vault(ctx, args)? } else { of_files(ctx, args)? };
    if ctx.out.json {
        ctx.out.document(&report)?;
    } else {
        tell(ctx, &report)?;
    }
    if report.ok { Ok(()) } else { Err(Failure::finding()) }
}

fn of_the_vault(ctx: &Context, args: &Verify) -> Result<AuditReport, Failure> {
    let link = Link::open(ctx)?;
    let _spinner = Spinner::start(&ctx.out, "verifying the record");
    let report = ctx.ask_over(&link, async |client| client.audit_verify().await)?;
    let Some(path) = &args.against else {
        return Ok(report);
    };
    if !link.is_local() {
        return Err(Failure::usage(
            "--against needs the files of the record, which are on the vault's own machine",
        ));
    }
    let key = ctx.ask_over(&link, async |client| client.audit_key().await)?;
    let files = hqv_audit::files::list(ctx.settings.dir.root())
        .map_err(|e| Failure::io("cannot read the record", &e))?;
    let public = public(&key.public_key)?;
    let compared = check(&files, Some(&public), read_checkpoint(path)?)?;
    Ok(both(report, compared))
}

/// What the vault proved stands; the comparison adds what it found.
fn both(mut report: AuditReport, compared: AuditReport) -> AuditReport {
    if compared.ok {
        report.findings.push(AuditFinding {
            bad: false,
            sequence: None,
            message: "the checkpoint that was kept elsewhere holds too".to_owned(),
        });
        return report;
    }
    report.ok = false;
    report.first_bad = report.first_bad.or(compared.first_bad);
    report.findings.extend(compared.findings.into_iter().filter(|f| f.bad));
    report
}

fn of_files(ctx: &Context, args: &Verify) -> Result<AuditReport, Failure> {
    let public = args.public_key.as_deref().map(public).transpose()?;
    let against = args.against.as_ref().map(read_checkpoint).transpose()?.flatten();
    let _spinner = Spinner::start(&ctx.out, "verifying the record");
    check(&args.files, public.as_ref(), against)
}

fn check(
    files: &[PathBuf],
    public: Option<&AuditPublic>,
    against: Option<Checkpoint>,
) -> Result<AuditReport, Failure> {
    let level = public.map_or(Level::Chain, Level::Signatures);
    let options = Options { against, ..Options::default() };
    let report = verify::verify(files, level, &options, &mut |_| {}).map_err(|e| match e {
        AuditError::Signature(_) => Failure::usage("the checkpoint given was not signed by this vault's key")
            .hint("--against takes a line that audit checkpoint of the same vault printed"),
        other => Failure::usage(other.to_string()),
    })?;
    Ok(answer(&report))
}

fn answer(report: &Report) -> AuditReport {
    let finding =
        |f: &verify::Finding| AuditFinding { bad: f.bad, sequence: Some(f.line), message: f.text.clone() };
    AuditReport {
        ok: report.is_ok(),
        level: report.level.as_str().to_owned(),
        records: report.records,
        checkpoints: report.checkpoints,
        segments: report.segments,
        unproven: report.unproven_records,
        unclean_ends: report.unclean_ends.len() as u64,
        first_bad: report.first_bad.as_ref().map(|f| f.line),
        findings: report.findings.iter().map(finding).collect(),
    }
}

/// The key as `audit public-key` prints it.
fn public(text: &str) -> Result<AuditPublic, Failure> {
    let signing = key_bytes(text.trim()).ok_or_else(|| {
        Failure::usage("--public-key is not a key: 64 hexadecimal digits are needed")
            .hint("hq-vault audit public-key prints it")
    })?;
    Ok(AuditPublic { signing, reading: [0; 32] })
}

/// 64 hexadecimal digits.
fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let mut key = [0u8; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

fn read_checkpoint(path: &PathBuf) -> Result<Option<Checkpoint>, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Failure::io(format!("cannot read {}", shown(path)), &e))?;
    let checkpoint = Checkpoint::parse(text.trim()).map_err(|_| {
        Failure::usage(format!("{} holds no checkpoint", shown(path)))
            .hint("hq-vault audit checkpoint prints one")
    })?;
    Ok(Some(checkpoint))
}

fn tell(ctx: &Context, report: &AuditReport) -> Result<(), Failure> {
    let verdict = if report.ok { ctx.out.paint.green("proven") } else { ctx.out.paint.red("not proven") };
    ctx.out.line(format!(
        "{verdict}: {} records, {} checkpoints, {} segments; checked: {}",
        report.records, report.checkpoints, report.segments, report.level
    ))?;
    if report.unproven > 0 {
        ctx.out.line(format!("{} records were written while locked and adopted later", report.unproven))?;
    }
    if report.unclean_ends > 0 {
        ctx.out.line(format!(
            "{} unclean ends: up to a second before each may be missing",
            report.unclean_ends
        ))?;
    }
    for finding in &report.findings {
        let place = finding.sequence.map(|n| format!("line {n}: ")).unwrap_or_default();
        ctx.out.line(format!("{place}{}", hqv_model::escape_controls(&finding.message)))?;
    }
    Ok(())
}

/// The key that proves the record anywhere.
pub fn public_key(ctx: &Context) -> Result<(), Failure> {
    let key = ctx.ask(async |client| client.audit_key().await)?;
    if ctx.out.json {
        return ctx.out.document(&key);
    }
    ctx.out.line(key.public_key)
}

/// A signed checkpoint to keep elsewhere.
pub fn checkpoint(ctx: &Context) -> Result<(), Failure> {
    let made = ctx.ask(async |client| client.audit_checkpoint().await)?;
    if ctx.out.json {
        return ctx.out.document(&made);
    }
    ctx.out.line(made.checkpoint)
}
