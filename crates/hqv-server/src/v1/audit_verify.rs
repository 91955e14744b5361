//! `POST /v1/audit:verify`: the whole record, checked with the vault's keys.

use hqv_api::{AuditFinding, AuditReport};
use hqv_engine::verify::Report;

use crate::answer::ok;
use crate::ask::Ask;
use crate::errors::Answer;

/// Verifies the record up to its newest line; the owner's alone.
#[utoipa::path(
    post, path = "/v1/audit:verify", operation_id = "auditVerify", tag = "audit",
    responses(
        (status = 200, description = "What was found.", body = AuditReport),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn audit_verify(ask: Ask) -> Answer {
    ask.no_query()?;
    let report = ask.shared.engine.audit_verify(ask.caller, None).await?;
    Ok(ok(&rendered(report)))
}

fn rendered(report: Report) -> AuditReport {
    let ok = report.is_ok();
    let mut findings: Vec<AuditFinding> = report
        .findings
        .into_iter()
        .map(|f| AuditFinding { bad: f.bad, sequence: Some(f.line), message: f.text })
        .collect();
    if report.more > 0 {
        let message = format!("{} more findings are not listed", report.more);
        findings.push(AuditFinding { bad: false, sequence: None, message });
    }
    AuditReport {
        ok,
        level: report.level.as_str().to_owned(),
        records: report.records,
        checkpoints: report.checkpoints,
        segments: report.segments,
        unproven: report.unproven_records,
        unclean_ends: report.unclean_ends.len() as u64,
        first_bad: report.first_bad.map(|f| f.line),
        findings,
    }
}
