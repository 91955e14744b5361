//! Parts of a value that are looked for by themselves.

use zeroize::Zeroizing;

/// The longest piece in bytes.
const PIECE: usize = 512;
/// How far one piece reaches into the next, so that no encoding leaves a byte between them.
const OVERLAP: usize = 16;
/// A line shorter than this says too little of its value to be one.
const LINE: usize = 16;

/// The value, or its pieces where it is long. The last one is as long as the others.
pub(super) fn of(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let step = PIECE - OVERLAP;
    let last = value.len().saturating_sub(PIECE);
    (0..=last.div_ceil(step)).filter_map(move |n| {
        let start = (n * step).min(last);
        value.get(start..(start + PIECE).min(value.len()))
    })
}

/// Without line ends and indentation.
pub(super) fn one_line(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(value.len()));
    for (at, part) in value.split(|byte| *byte == b'\n').enumerate() {
        let part = part.strip_suffix(b"\r").unwrap_or(part);
        let indent =
            if at == 0 { 0 } else { part.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() };
        line.extend_from_slice(part.get(indent..).unwrap_or_default());
    }
    line
}

/// The lines that are long enough and no sentence or frame.
pub(super) fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let trimmed = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    trimmed.filter(|line| {
        line.len() >= LINE && !line.starts_with(b"-----") && !line.iter().any(u8::is_ascii_whitespace)
    })
}
