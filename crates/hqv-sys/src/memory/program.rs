//! Pages of the program itself that were needed only once.

/// Lets go of the resident pages of the program's code. What is needed again is mapped again from the page
/// cache, at the price of a minor fault for 64 KiB; what only start and unlock needed stays out.
///
/// Only code is let go: its pages are never written, so nothing can be lost. A no-op elsewhere than on Linux.
pub fn let_go_of_code() {
    #[cfg(target_os = "linux")]
    for (start, len) in code_ranges() {
        // SAFETY: the range is a whole mapping of this program's code, private, backed by its file and never
        // written; dropping its clean pages changes no byte that can be read there.
        let dropped = unsafe { rustix::mm::madvise(start as *mut _, len, rustix::mm::Advice::LinuxDontNeed) };
        // Advice that is not taken costs memory, nothing else.
        let _ = dropped;
    }
}

/// Start and length of each readable and executable mapping of our own file.
#[cfg(target_os = "linux")]
fn code_ranges() -> Vec<(usize, usize)> {
    let Ok(program) = std::fs::read_link("/proc/self/exe") else {
        return Vec::new();
    };
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return Vec::new();
    };
    maps.lines().filter_map(|line| code_range(line, &program)).collect()
}

#[cfg(target_os = "linux")]
fn code_range(line: &str, program: &std::path::Path) -> Option<(usize, usize)> {
    let mut fields = line.split_whitespace();
    let (range, mode) = (fields.next()?, fields.next()?);
    let path = line.find('/').and_then(|at| line.get(at..))?;
    if mode != "r-xp" || std::path::Path::new(path) != program {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((start, end.checked_sub(start)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_code_is_let_go_and_the_program_goes_on() {
        let ranges = code_ranges();
        let here = only_our_own_code_is_let_go_and_the_program_goes_on as fn() as usize;
        assert!(ranges.iter().any(|(start, len)| (*start..start + len).contains(&here)));
        let line = |mode: &str, path: &str| format!("1000-3000 {mode} 00000000 fe:00 42 {path}");
        let program = std::path::Path::new("/usr/bin/hq-vault");
        assert_eq!(code_range(&line("r-xp", "/usr/bin/hq-vault"), program), Some((0x1000, 0x2000)));
        assert_eq!(code_range(&line("rw-p", "/usr/bin/hq-vault"), program), None);
        assert_eq!(code_range(&line("r--p", "/usr/bin/hq-vault"), program), None);
        assert_eq!(code_range(&line("r-xp", "/usr/lib/libc.so.6"), program), None);
        let_go_of_code();
        assert_eq!(code_ranges(), ranges);
    }
}
