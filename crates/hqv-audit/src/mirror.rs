//! A copy of the record in plain JSON lines, for a collector of logs.
//!
//! The request that is recorded only copies its line into a bounded buffer. A thread writes what is there a few times a
//! second: a place that is slow or full holds up nobody, and what did not fit is counted and said in a line of its own.
//! The mirror proves nothing; the record does.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hqv_sys::files::{Access, open_private};

use crate::json::Json;

/// Bytes that may wait.
const ROOM: usize = 4 * 1024 * 1024;
/// How long a line waits at most for the thread.
const EVERY: Duration = Duration::from_millis(50);
/// Facility authpriv, severity informational (RFC 3164 section 4.1.1).
const PRIORITY: &str = "<86>hq-vault: ";

/// Where the copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file by its absolute path.
    File(PathBuf),
    /// The daemon's standard output.
    Stdout,
    /// `/dev/log`.
    Syslog,
}

impl Target {
    /// `file:/path`, `stdout` or `syslog`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "stdout" => Some(Target::Stdout),
            "syslog" => Some(Target::Syslog),
            _ => {
                let path = Path::new(text.strip_prefix("file:")?);
                (path.is_absolute() && path.file_name().is_some()).then(|| Target::File(path.to_owned()))
            }
        }
    }

    /// Opens the place once, to see that it takes lines. A file must lie outside the vault directory.
    ///
    /// # Errors
    /// What the system said, or that the file lies inside, or is not private to this user.
    pub fn check(&self, vault: &Path) -> io::Result<()> {
        if let Target::File(path) = self {
            let folder = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
            if folder.starts_with(vault.canonicalize()?) {
                return Err(io::Error::other("it lies inside the vault directory"));
            }
        }
        Place::open(self).map(drop)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::File(path) => write!(f, "file:{}", path.display()),
            Target::Stdout => f.write_str("stdout"),
            Target::Syslog => f.write_str("syslog"),
        }
    }
}

enum Place {
    File(File),
    Stdout,
    Syslog(UnixDatagram),
}

impl Place {
    fn open(target: &Target) -> io::Result<Self> {
        Ok(match target {
            Target::File(path) => Place::File(open_private(path, Access::Append)?),
            Target::Stdout => Place::Stdout,
            Target::Syslog => {
                let socket = UnixDatagram::unbound()?;
                socket.connect("/dev/log")?;
                socket.set_nonblocking(true)?;
                Place::Syslog(socket)
            }
        })
    }

    /// Writes whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Place::File(file) => {
                let before = file.metadata()?.len();
                // A half line would spoil the next one.
                file.write_all(lines).inspect_err(|_| drop(file.set_len(before)))
            }
            Place::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(lines).and_then(|()| out.flush())
            }
            Place::Syslog(socket) => {
                for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    socket.send(&[PRIORITY.as_bytes(), line].concat())?;
                }
                Ok(())
            }
        }
    }
}

/// What could not be mirrored since the last line that could.
#[derive(Default)]
struct Missed {
    records: u64,
    since: Vec<u8>,
    last: u64,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    missed: Missed,
    reopen: bool,
    stop: bool,
    ended: bool,
    /// Records that never reached the place, and why the last did not.
    lost: u64,
    trouble: Option<String>,
}

/// The mirror of one record.
pub struct Mirror {
    target: Target,
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

/// How a mirror does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Records that never reached the place since the start.
    pub lost: u64,
    /// Why it cannot be written to, while that is so.
    pub trouble: Option<String>,
}

impl Mirror {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(target: Target) -> io::Result<Arc<Self>> {
        let mirror = Arc::new(Mirror { target, waiting: Mutex::default(), wake: Condvar::new() });
        let thread = mirror.clone();
        std::thread::Builder::new().name("hqv-mirror".into()).spawn(move || thread.run())?;
        Ok(mirror)
    }

    /// Where it goes.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Opens the place anew before the next line: for `logrotate`.
    pub fn reopen(&self) {
        self.waiting().reopen = true;
    }

    /// Ends the thread once what waits is written.
    pub fn stop(&self) {
        self.waiting().stop = true;
        self.wake.notify_all();
    }

    /// The same, and waits for it: two seconds at most, for a place that takes nothing must not hold up a stop.
    pub(crate) fn finish(&self) {
        self.stop();
        let going = |w: &mut Waiting| !w.ended;
        drop(self.wake.wait_timeout_while(self.waiting(), Duration::from_secs(2), going));
    }

    /// How it does.
    pub fn health(&self) -> Health {
        let waiting = self.waiting();
        let lost = waiting.lost.saturating_add(waiting.missed.records);
        Health { lost, trouble: waiting.trouble.clone() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one record's JSON as it is sealed: the line number is added, the state sequence goes to the end.
    pub(crate) fn take(&self, sequence: u64, json: &[u8], unproven: bool) {
        let rest = json.strip_prefix(b"{\"state\":").unwrap_or_default();
        let comma = rest.iter().position(|b| *b == b',').unwrap_or(rest.len());
        let (state, members) = rest.split_at(comma);
        let members = members.strip_suffix(b"}").unwrap_or(members);
        let mut waiting = self.waiting();
        if waiting.lines.len() + json.len() + 64 > ROOM {
            if waiting.missed.records == 0 {
                // `,"time":"2026-11-25T08:00:00.000Z"`
                waiting.missed.since = members.get(9..33).unwrap_or_default().to_vec();
            }
            waiting.missed.records += 1;
            waiting.missed.last = sequence;
            return;
        }
        let lines = &mut waiting.lines;
        lines.extend_from_slice(b"{\"sequence\":");
        let _ = write!(lines, "{sequence}");
        lines.extend_from_slice(members);
        lines.extend_from_slice(b",\"state\":");
        lines.extend_from_slice(state);
        lines.extend_from_slice(if unproven { b",\"unproven\":true}\n" } else { b",\"unproven\":false}\n" });
    }

    fn run(&self) {
        let mut place: Option<Place> = None;
        let mut lines = Vec::new();
        loop {
            let stop = {
                let waiting = self.waiting();
                let due = |w: &mut Waiting| !w.stop;
                let (mut waiting, _) =
                    self.wake.wait_timeout_while(waiting, EVERY, due).unwrap_or_else(PoisonError::into_inner);
                if std::mem::take(&mut waiting.reopen) {
                    place = None;
                }
                if lines.is_empty() {
                    std::mem::swap(&mut waiting.lines, &mut lines);
                    gap(&mut waiting, &mut lines);
                }
                waiting.stop
            };
            if !lines.is_empty() {
                let written = self.write(&mut place, &lines);
                match written {
                    Ok(()) => {
                        lines.clear();
                        self.waiting().trouble = None;
                    }
                    // They are tried again: meanwhile the buffer fills, and then counts.
                    Err(e) => {
                        place = None;
                        self.waiting().trouble = Some(e.to_string());
                    }
                }
            }
            if stop {
                self.waiting().ended = true;
                self.wake.notify_all();
                return;
            }
        }
    }

    fn write(&self, place: &mut Option<Place>, lines: &[u8]) -> io::Result<()> {
        let open = match place.take() {
            Some(open) => open,
            None => Place::open(&self.target)?,
        };
        place.insert(open).write(lines)
    }
}

/// A line that stands for records that did not fit, in the form of a record.
fn gap(waiting: &mut Waiting, lines: &mut Vec<u8>) {
    let missed = std::mem::take(&mut waiting.missed);
    if missed.records == 0 {
        return;
    }
    waiting.lost = waiting.lost.saturating_add(missed.records);
    let mut json = Json::default();
    json.clear();
    json.open();
    json.number("sequence", missed.last);
    json.text("time", &String::from_utf8_lossy(&missed.since));
    json.text("operation", "mirror-gap");
    json.text("outcome", "failed");
    json.name("identity");
    json.open();
    json.text("kind", "daemon");
    json.close();
    json.text("source", "daemon");
    let detail = format!("{} records up to this line are in the record and not here", missed.records);
    json.text("detail", &detail);
    json.array("items", &[] as &[u8], |_, _| ());
    json.number("state", 0);
    json.boolean("unproven", false);
    json.close();
    lines.extend_from_slice(json.bytes());
    lines.push(b'\n');
}

impl Drop for Waiting {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.lines);
    }
}
