//! Requests as bytes, and the end of an answer.

/// A request with no body.
pub fn get(target: &str, bearer: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n\r\n").into_bytes()
}

/// A request with a JSON body. With an empty bearer it has no credential.
pub fn json(method: &str, target: &str, bearer: &str, body: &str) -> Vec<u8> {
    let credential =
        if bearer.is_empty() { String::new() } else { format!("authorization: Bearer {bearer}\r\n") };
    format!(
        "{method} {target} HTTP/1.1\r\nhost: localhost\r\n{credential}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A whole answer at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framed {
    /// The three digits.
    pub status: u16,
    /// Where the body begins.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
}

/// Finds it, or `None` where more bytes have to come. Only answers with a `content-length` in lower case (hyper's way) are
/// understood; any other never ends, and the driver's patience does.
pub fn frame(bytes: &[u8]) -> Option<Framed> {
    let head = find(bytes, b"\r\n\r\n")?;
    let status = bytes.get(9..12)?.iter().fold(0, |n, d| n * 10 + u16::from(d.wrapping_sub(b'0')));
    let fields = bytes.get(..head + 2)?;
    let at = find(fields, b"content-length: ")? + b"content-length: ".len();
    let digits = fields.get(at..)?.iter().take_while(|b| b.is_ascii_digit());
    let length = digits.fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
    let body = head + 4;
    (bytes.len() >= body + length).then_some(Framed { status, body, end: body + length })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let whole = b"HTTP/1.1 404 Not Found\r\ncontent-length: 11\r\nx: y\r\n\r\nhello world";
        for cut in 0..whole.len() {
            assert_eq!(frame(&whole[..cut]), None, "{cut}");
        }
        let mut more = whole.to_vec();
        more.extend_from_slice(b"HTTP/1.1 200");
        let end = whole.len();
        assert_eq!(frame(&more), Some(Framed { status: 404, body: end - 11, end }));
    }
}
