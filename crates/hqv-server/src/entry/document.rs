//! The page's bytes and the headers that it leaves with.
//!
//! One static document for every entry: what an entry is about comes later, as JSON that is only ever shown as text, so
//! there is nothing here that a description could break out of. Style and scripts stand in the document, and the policy
//! names them by the hash of the very bytes that are sent (CSP 3, section 2.3.1), so nothing else ever runs.

use hqv_api::secret::base64_text;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SEAL: &str = include_str!("page/seal.js");
const PAGE: &str = include_str!("page/page.js");

static HTML: LazyLock<String> = LazyLock::new(|| {
    FRAME.replace("/*{page.css}*/", STYLE).replace("/*{seal.js}*/", SEAL).replace("/*{page.js}*/", PAGE)
});

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| HeaderValue::try_from(policy()).ok());

/// The document.
pub fn html() -> &'static [u8] {
    HTML.as_bytes()
}

fn policy() -> String {
    format!(
        "default-src 'none'; script-src {} {}; style-src {}; connect-src 'self'; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SEAL),
        hash(PAGE),
        hash(STYLE)
    )
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", base64_text(&Sha256::digest(text.as_bytes())))
}

/// What every answer of a page's server bears, errors too: it is kept nowhere, shown in no frame, taken for nothing else,
/// and tells no other site that it was visited.
pub fn harden(headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, &str); 6] = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // It is built of base64 and our own words, which a header can hold; were it not, nothing would run at all.
    let policy = POLICY.clone().unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
        text.split(from).skip(1).map(|part| part.split(to).next().unwrap()).collect()
    }

    #[test]
    fn en4_the_policy_names_the_very_bytes_that_run_and_nothing_else() {
        let html = std::str::from_utf8(html()).unwrap();
        let (scripts, styles) =
            (between(html, "<script>", "</script>"), between(html, "<style>", "</style>"));
        assert_eq!((scripts.len(), styles.len()), (2, 1));
        let policy = policy();
        for text in scripts.into_iter().chain(styles) {
            assert!(policy.contains(&hash(text)), "a hash is missing");
        }
        assert_eq!(policy.matches("'sha256-").count(), 3);
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
        for wanted in
            ["connect-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(wanted), "{wanted}");
        }
        assert!(POLICY.is_some());
    }

    #[test]
    fn en4_the_document_loads_nothing_and_holds_no_handler_style_or_foreign_markup() {
        let html = std::str::from_utf8(html()).unwrap();
        for never in
            ["http:", "https:", "src=", "href=", " style=", "onclick", "onload", "innerHTML", "eval(", "/*{"]
        {
            assert!(!html.contains(never), "{never}");
        }
        for text in [STYLE, SEAL, PAGE] {
            assert!(!text.contains("</") && !text.contains("<!--"), "it would end its element");
        }
    }

    #[test]
    fn en6_the_page_says_what_it_needs_and_names_its_parts() {
        let html = std::str::from_utf8(html()).unwrap();
        assert!(between(html, "<noscript>", "</noscript>")[0].contains("needs JavaScript"));
        for (name, times) in
            [("lang=\"en\"", 1), ("aria-live=\"polite\"", 1), ("for=\"value\"", 1), ("for=\"file\"", 1)]
        {
            assert_eq!(html.matches(name).count(), times, "{name}");
        }
        for off in ["autocomplete=\"off\"", "spellcheck=\"false\"", "autocapitalize=\"off\""] {
            assert!(between(html, "<textarea", ">")[0].contains(off), "{off}");
        }
    }
}
