//! Numbers with their goals, as Markdown.

use crate::Result;
use crate::options::{Options, PARTS};
use hqv_model::Timestamp;
use std::fmt::Write;
use std::path::Path;

/// What a number should be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
    /// Shown only.
    None,
}

/// One number.
#[derive(Debug)]
pub struct Line {
    what: String,
    goal: Goal,
    measured: f64,
    unit: &'static str,
    beside: String,
}

/// The numbers of one part.
#[derive(Debug)]
pub struct Section {
    title: &'static str,
    about: String,
    lines: Vec<Line>,
}

impl Section {
    /// An empty one; `about` says in a sentence or two how it is measured.
    pub fn new(title: &'static str, about: impl Into<String>) -> Self {
        Self { title, about: about.into(), lines: Vec::new() }
    }

    /// Adds a number; it is also said at once, on stderr. `unit` is put behind it (`x` for a ratio).
    pub fn add(
        &mut self,
        what: impl Into<String>,
        goal: Goal,
        measured: f64,
        unit: &'static str,
        beside: impl Into<String>,
    ) {
        let line = Line { what: what.into(), goal, measured, unit, beside: beside.into() };
        eprintln!(
            "  {}: {}  {} {}  {}",
            line.what,
            line.number(line.measured),
            line.verdict(),
            line.wanted(),
            line.beside
        );
        self.lines.push(line);
    }

    fn missed(&self) -> usize {
        self.lines.iter().filter(|line| line.met() == Some(false)).count()
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## {}\n\n{}\n", self.title, self.about)?;
        writeln!(out, "| what | goal | measured | | beside it |\n|---|---|---|---|---|")?;
        for line in &self.lines {
            let (goal, number, verdict) = (line.wanted(), line.number(line.measured), line.verdict());
            writeln!(out, "| {} | {goal} | {number} | {verdict} | {} |", line.what, line.beside)?;
        }
        Ok(())
    }
}

impl Line {
    fn met(&self) -> Option<bool> {
        match self.goal {
            Goal::AtLeast(least) => Some(self.measured >= least),
            Goal::AtMost(most) => Some(self.measured <= most),
            Goal::None => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        }
    }

    fn wanted(&self) -> String {
        match self.goal {
            Goal::AtLeast(least) => format!("at least {}", self.number(least)),
            Goal::AtMost(most) => format!("at most {}", self.number(most)),
            Goal::None => String::new(),
        }
    }

    fn number(&self, value: f64) -> String {
        match self.unit {
            "x" => format!("{value:.2} x"),
            "" => thousands(value),
            unit if value < 10.0 => format!("{value:.2} {unit}"),
            unit if value < 100.0 => format!("{value:.1} {unit}"),
            unit => format!("{} {unit}", thousands(value)),
        }
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digit.is_ascii_digit() && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The whole page.
///
/// # Errors
/// The machine does not say what it is.
pub fn page(sections: &[Section], options: &Options, machine: &str) -> Result<String> {
    let mut out = String::from("# Results of one run\n\n");
    let flags = [(options.long, " --long"), (options.quick, " --quick")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect();
    let parts = if options.parts.len() == PARTS.len() {
        String::new()
    } else {
        format!(" {}", options.parts.join(" "))
    };
    writeln!(out, "`scripts/bench{flags}{parts}` at commit {}.\n\n{machine}", options.commit)?;
    if options.quick {
        writeln!(out, "\nA quick run tries the bench itself. Its numbers mean nothing.")?;
    }
    let missed: usize = sections.iter().map(Section::missed).sum();
    let goals: usize = sections.iter().flat_map(|s| &s.lines).filter(|line| line.met().is_some()).count();
    writeln!(out, "\n{} of {goals} goals met; {missed} missed.", goals - missed)?;
    for section in sections {
        section.write(&mut out)?;
    }
    Ok(out)
}

/// Cores, processor, kernel, disk, date, and how busy the machine was before.
///
/// # Errors
/// `/proc` is not there.
pub fn machine(dir: &Path, load_before: &str) -> Result<String> {
    let read = |file: &str| std::fs::read_to_string(file).map(|text| text.trim().to_owned());
    let info = read("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = read("/proc/meminfo")?;
    let kib: f64 = memory.split_whitespace().nth(1).unwrap_or_default().parse()?;
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "- machine: {cores} cores, {}, {:.0} GiB, Linux {}\n- disk: {}\n- date: {}\n- load average before: {load_before}",
        model.trim_start_matches([':', ' ', '\t']),
        kib / 1048576.0,
        read("/proc/sys/kernel/osrelease")?,
        disk(dir, &read("/proc/mounts")?),
        Timestamp::from_millis(hqv_sys::clock::wall_millis()).to_rfc3339(),
    ))
}

/// The load averages now.
pub fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(", ")
}

/// The file system under `dir`: the longest mount point that it starts with.
fn disk(dir: &Path, mounts: &str) -> String {
    let split = mounts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let below = split.filter(|words| words.get(1).is_some_and(|at| dir.starts_with(at)));
    let longest = below.max_by_key(|words| words.get(1).map_or(0, |at| at.len()));
    match longest.as_deref() {
        Some([device, _, kind, ..]) => format!("{kind} on {device}"),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            (thousands(0.4), thousands(999.0), thousands(1_234_567.0)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(thousands(-123_456.0), "-123,456");
    }

    #[test]
    fn a_missed_goal_is_said() {
        let mut section = Section::new("T", "a.");
        section.add("one", Goal::AtLeast(0.8), 0.79, "x", "");
        section.add("two", Goal::AtMost(24.0), 23.0, "MiB", "");
        let mut out = String::new();
        section.write(&mut out).unwrap();
        assert!(out.contains("| one | at least 0.80 x | 0.79 x | **missed** |"), "{out}");
        assert!(out.contains("| two | at most 24.0 MiB | 23.0 MiB | met |"), "{out}");
        assert_eq!(section.missed(), 1);
    }
}
