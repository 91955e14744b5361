//! `start`: the log as the last run left it, and a segment that nobody has certified yet.

use std::fmt;

use hqv_model::{Entropy, OpKind, Timestamp};

use crate::{
    AuditError,
    certificate::{Root, Scope},
    chain::Chain,
    encode::TimeText,
    files,
    header::Why,
    json::Json,
    segment::Segment,
    sink::{FileSink, MemorySink, Sink},
    staging::Staging,
    tail::{self, Tail},
};

use super::{DbHead, Gap, Log, LogConfig, MAX_SEGMENT, Rotation, SinceAnchor, turn::Turning};

/// The database was put back: the log had seen a later state of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolledBack {
    /// The state sequence that a checkpoint of the log names as fsynced.
    pub record: u64,
    /// The database's own.
    pub database: u64,
    /// Whether the audit identity vouches for that checkpoint; otherwise a writer of the disk may have made it up.
    pub certified: bool,
}

impl RolledBack {
    pub(super) fn seen(found: Option<(u64, bool)>, database: u64) -> Option<Self> {
        let (record, certified) = found?;
        (record > database).then_some(RolledBack { record, database, certified })
    }
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, database) = (self.record, self.database);
        write!(f, "vault.db was put back: it is at state {database}, and the record had seen {record}")?;
        if self.certified { Ok(()) } else { f.write_str(" (in a checkpoint that cannot be proven)") }
    }
}

/// How the last run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartReport {
    /// The last line before an end without a signed close.
    pub unclean: Option<u64>,
    /// Bytes of a line that was cut off in the middle and was removed.
    pub torn_tail: Option<u64>,
    /// Set when the database is older than the log.
    pub rolled_back: Option<RolledBack>,
    /// The same, and what else was found, as sentences for the owner.
    pub findings: Vec<String>,
}

impl Log {
    /// Opens the record of a vault and begins a segment. A torn last line is cut off. What the last run
    /// left undone is recorded and returned. The head in `db` is compared at unlock ([`Log::compare`]).
    ///
    /// # Errors
    /// The file cannot be read or written, or is no private file of ours.
    pub fn start(
        cfg: LogConfig,
        db: Option<DbHead>,
        now: Timestamp,
        rng: Box<dyn Entropy>,
    ) -> Result<(Log, StartReport), AuditError> {
        let mut sink = FileSink::open(files::current(&cfg.dir))?;
        let tail = tail::scan(&files::list(&cfg.dir)?, &cfg.public.signing)?;
        if tail.torn > 0 {
            sink.cut_to(tail.len)?;
        }
        let (chain, report) = judge(&tail, db, &cfg);
        let mut log = Log::begin_at(cfg, chain, Box::new(sink), rng)?;
        log.state = db.map_or(tail.state.map_or(0, |(state, _)| state), |db| db.state_seq);
        log.found_state = tail.state;
        log.unadopted = tail.unadopted;
        log.begin(0)?;
        let begun = log.stage_begin(now)?;
        let lines = log.stage_findings(&report, now)?;
        log.commit()?;
        log.segment.begun = Some(begun);
        log.segment.records += lines;
        log.began = log.first_line();
        log.looked = Some(now);
        log.said_put_back = report.rolled_back.is_some();
        Ok((log, report))
    }

    /// A log that keeps nothing, for measuring what sealing and chaining cost.
    ///
    /// # Errors
    /// The public keys cannot be sealed to.
    pub fn in_memory(cfg: LogConfig, rng: Box<dyn Entropy>) -> Result<Log, AuditError> {
        let chain = Chain::start(cfg.vault);
        Log::begin_at(cfg, chain, Box::new(MemorySink::default()), rng)
    }

    pub(super) fn begin_at(
        mut cfg: LogConfig,
        chain: Chain,
        sink: Box<dyn Sink>,
        mut rng: Box<dyn Entropy>,
    ) -> Result<Log, AuditError> {
        cfg.max_segment = cfg.max_segment.clamp(1, MAX_SEGMENT);
        let scope = Scope { vault: cfg.vault, epoch: cfg.epoch };
        let from = chain.seq.saturating_add(1);
        let segment = Segment::new(Why::Start, scope, &cfg.public, &mut *rng, |key| {
            (Root::None, vec![scope.own_link(key, from)])
        })?;
        Ok(Log {
            cfg,
            scope,
            sink,
            rng,
            written: chain,
            staging: Staging::new(chain),
            segment,
            unlock: None,
            unadopted: Vec::new(),
            since: SinceAnchor::default(),
            last_anchor: Vec::new(),
            anchored: 0,
            state: 0,
            gap: Gap::default(),
            looked: None,
            json: Json::default(),
            times: TimeText::default(),
            scratch: Vec::new(),
            found: chain.seq,
            found_state: None,
            said_put_back: false,
            unsafe_lines: false,
            ended: false,
            rotation: Rotation::default(),
            turning: Turning::No,
            not_before: None,
            began: None,
            older: Vec::new(),
            turns: 0,
            turns_synced: 0,
            mirror: None,
        })
    }

    fn stage_findings(&mut self, report: &StartReport, now: Timestamp) -> Result<u64, AuditError> {
        let mut lines = 0;
        for text in &report.findings {
            let back = report.rolled_back.is_some_and(|back| back.to_string() == *text);
            let op = if back { OpKind::RolledBack } else { OpKind::UncleanEnd };
            lines += self.stage_own(now, op, text.clone())?;
        }
        Ok(lines)
    }
}

/// Where to go on, and what to say.
fn judge(tail: &Tail, db: Option<DbHead>, cfg: &LogConfig) -> (Chain, StartReport) {
    let mut report = StartReport::default();
    let known = db.and_then(|db| db.head).map(|(seq, head)| Chain { seq, head });
    let chain = match tail.chain {
        Some(chain) => chain,
        None => {
            let chain = known.unwrap_or_else(|| Chain::start(cfg.vault));
            if chain.seq > 0 || tail.len > 0 {
                report.findings.push(format!("the record was emptied; it goes on after line {}", chain.seq));
            }
            chain
        }
    };
    if tail.chain.is_some() && !tail.closed {
        report.unclean = Some(chain.seq);
        report.findings.push(format!("unclean end after {}", chain.seq));
    }
    if tail.torn > 0 {
        report.torn_tail = Some(tail.torn);
        report.findings.push(format!("a torn last line of {} bytes was cut off", tail.torn));
    }
    report.rolled_back = db.and_then(|db| RolledBack::seen(tail.state, db.state_seq));
    report.findings.extend(report.rolled_back.map(|back| back.to_string()));
    (chain, report)
}
