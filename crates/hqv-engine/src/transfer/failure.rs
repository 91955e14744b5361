//! What a failed command prints where its output is for a shell to evaluate, so that the evaluation itself fails.

use super::Format;

/// The line, in the shell's own language; `exit` is the exit code, and a failure is never 0.
///
/// | format | printed | effect |
/// |---|---|---|
/// | `export` | `(exit N)` | the `eval` fails, and `set -e` stops |
/// | `fish` | `return N` | `source` ends with N; a script that runs `eval` ends with it |
/// | `powershell` | `throw "..."` | `Invoke-Expression` ends in an error |
pub fn shell_failure(format: Format, exit: u8) -> String {
    let exit = exit.max(1);
    match format {
        Format::Fish => format!("return {exit}"),
        Format::Powershell => format!("throw \"hq-vault ended with {exit}\""),
        _ => format!("(exit {exit})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_never_a_success() {
        assert_eq!(shell_failure(Format::Export, 4), "(exit 4)");
        assert_eq!(shell_failure(Format::Export, 0), "(exit 1)");
        assert_eq!(shell_failure(Format::Fish, 3), "return 3");
        assert_eq!(shell_failure(Format::Powershell, 5), "throw \"hq-vault ended with 5\"");
    }
}
