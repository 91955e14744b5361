//! How fast a stream is masked: `cargo run --release -p hqv-mask --example masking [SECONDS]`.
//!
//! 100 secrets of 20 to 200 bytes, on several texts: random bytes, logs, base64, and near misses, in which the
//! forms of every secret stand with one byte changed or cut off. Beside it: the forms that have one spelling
//! searched for in turn, each as a whole.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::type_complexity)]

#[path = "../tests/it/encoders.rs"]
mod encoders;

use std::hint::black_box;
use std::time::Instant;

use hqv_mask::Masker;
use hqv_model::SecretBytes;

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit
    }

    fn text(&mut self, len: usize, from: &[u8]) -> Vec<u8> {
        (0..len).map(|_| from[self.below(from.len())]).collect()
    }
}

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn secrets(dice: &mut Dice) -> Vec<Vec<u8>> {
    let marks = [LETTERS, b"+/=-_.!$%&*()#@'\" "].concat();
    let mut all = Vec::new();
    for n in 0..100 {
        let len = 20 + dice.below(181);
        let value = match n % 4 {
            0 => [b"sk_live_".to_vec(), dice.text(len - 8, LETTERS)].concat(),
            1 => dice.text(len, b"0123456789abcdef"),
            2 => [b"postgres://app:".to_vec(), dice.text(len - 15, &marks)].concat(),
            _ => dice.text(len, &marks),
        };
        all.push(value);
    }
    all
}

fn logs(dice: &mut Dice, size: usize) -> Vec<u8> {
    let words =
        ["request", "took", "GET", "/v1/items", "user", "cache", "hit", "in", "ms", "error", "retry", "of"];
    let mut text = Vec::new();
    while text.len() < size {
        text.extend(format!("2026-11-25T02:{:02}:09Z INFO ", dice.below(60)).bytes());
        for _ in 0..4 + dice.below(9) {
            text.extend(format!("{}={} ", words[dice.below(words.len())], dice.below(10_000)).bytes());
        }
        text.extend_from_slice(b"{\"msg\":\"said \\\"no\\\"\\n\",\"url\":\"/a%20b\"}\n");
    }
    text
}

/// Forms of the secrets, none of them whole: a third have one byte changed, a third are cut off behind 4 bytes or more,
/// a third have lost their start and keep 4 bytes or more; where is the dice's choice.
fn near(dice: &mut Dice, forms: &[encoders::Form], size: usize, of: impl Fn(&str) -> bool) -> Vec<u8> {
    let forms: Vec<_> = forms.iter().filter(|form| of(&form.name)).collect();
    let mut text = Vec::new();
    while text.len() < size {
        let mut form = forms[dice.below(forms.len())].text.clone();
        let at = dice.below(form.len() - 5);
        match dice.below(3) {
            0 => form[at] = b'~',
            1 => form.truncate(at + 4),
            _ => drop(form.drain(..=at)),
        }
        text.extend(form);
        text.extend_from_slice(if dice.below(2) == 0 { b"\n" } else { b" " });
    }
    text
}

/// Megabytes a second of this thread's own time: others may use the machine, too.
fn rate(bytes: usize, seconds: f64, mut work: impl FnMut()) -> f64 {
    let spent = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    work();
    let (mut best, start) = (f64::MAX, spent());
    while spent() - start < seconds {
        let round = spent();
        work();
        best = best.min(spent() - round);
    }
    bytes as f64 / 1e6 / best
}

/// The forms that a program without a filter would search for one after the other: each of them as a whole.
fn asked(values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let names =
        ["itself", "base64", "base64url", "base64, LF at 76", "hex lower", "hex upper", "JSON", "'...'"];
    let more = [
        "percent, RFC 3986, upper true, plus false",
        "percent, RFC 3986, upper true, plus true",
        "UTF-16LE",
        "UTF-16BE",
    ];
    let mut all = Vec::new();
    for value in values {
        let forms = encoders::all(value).into_iter();
        let wanted = forms.filter(|form| names.iter().chain(&more).any(|name| *name == form.name));
        all.extend(wanted.map(|form| form.text));
        for before in [&b"x"[..], b"xx"] {
            for url in [false, true] {
                let (text, start, end) = encoders::base64_within(before, value, b"", url);
                all.push(text[start..end].to_vec());
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Masks a text, and searches it for each form in turn.
fn measure(name: &str, text: &[u8], masker: &Masker, forms: &[Vec<u8>], seconds: f64) {
    let mut out = Vec::with_capacity(text.len() + 1024);
    let masked = rate(text.len(), seconds, || {
        out.clear();
        let mut stream = masker.stream();
        for piece in text.chunks(64 << 10) {
            stream.push(piece, &mut out);
        }
        stream.finish(&mut out);
        black_box(&out);
    });
    let part = &text[..1 << 20];
    let turn = rate(part.len(), seconds / 4.0, || {
        let found = forms.iter().map(|form| memchr::memmem::find_iter(part, form).count());
        black_box(found.sum::<usize>());
    });
    println!("{name:26} {masked:7.0} MB/s   in turn {turn:6.1} MB/s   {:5.0} x", masked / turn);
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(2.0);
    let mut dice = Dice(88_172_645_463_325_252);
    let values = secrets(&mut dice);
    let sealed: Vec<SecretBytes> = values.iter().map(|value| SecretBytes::from_slice(value)).collect();
    let start = Instant::now();
    let masker = black_box(Masker::new(&sealed, b"[hidden]").0);
    println!("{masker:?} made in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);

    let size = 8 << 20;
    let all: Vec<u8> = (0..=255).collect();
    let forms: Vec<encoders::Form> = values.iter().flat_map(|value| encoders::all(value)).collect();
    let in_turn = asked(&values);
    let misses = |what: &'static str| {
        let forms = &forms;
        move |dice: &mut Dice| near(dice, forms, size, |name| name.starts_with(what))
    };
    // What encoders write that escape no more than they must, and lines of a usual width.
    let usual = |name: &str| {
        !["all", " at 1", " at 4", " at 7", "numbers", "in hex", "octal"]
            .iter()
            .any(|odd| name.contains(odd) && !name.contains("76"))
    };
    let texts: Vec<(&str, Box<dyn Fn(&mut Dice) -> Vec<u8> + '_>)> = vec![
        ("random bytes", Box::new(|dice| dice.text(size, &all))),
        ("random letters", Box::new(|dice| dice.text(size, LETTERS))),
        ("base64 in lines", Box::new(|dice| wrapped(&dice.text(size, LETTERS)))),
        ("hex", Box::new(|dice| dice.text(size, b"0123456789abcdef"))),
        ("logs", Box::new(|dice| logs(dice, size))),
        ("near misses: literal", Box::new(misses("itself"))),
        ("near misses: base64", Box::new(misses("base64"))),
        ("near misses: hex", Box::new(misses("hex"))),
        ("near misses: percent", Box::new(misses("percent"))),
        ("near misses: JSON", Box::new(misses("JSON"))),
        ("near misses: usual forms", Box::new(|dice| near(dice, &forms, size, usual))),
        ("near misses: every form", Box::new(misses(""))),
        ("aaaa", Box::new(|_| vec![b'a'; size])),
    ];
    let only = std::env::args().nth(2).unwrap_or_default();
    if only == "each" {
        let mut names: Vec<&str> = forms.iter().map(|form| form.name.as_str()).collect();
        names.sort();
        names.dedup();
        for name in names.into_iter().filter(|name| std::env::args().nth(3).is_none_or(|only| only == *name))
        {
            let text = near(&mut dice, &forms, size, |other| other == name);
            measure(name, &text, &masker, &in_turn, seconds);
        }
        return;
    }
    for (name, make) in texts.iter().filter(|(name, _)| name.contains(only.as_str())) {
        let text = make(&mut dice);
        measure(name, &text, &masker, &in_turn, seconds);
    }
}

fn wrapped(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.chunks(76).collect();
    lines.join(&b'\n')
}
