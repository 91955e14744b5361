//! The headers that every request of a client bears, made once.

use hqv_api::{headers, percent};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use zeroize::Zeroizing;

use crate::client::Options;
use crate::error::{ClientError, Result};

/// Host, agent, bearer, claim and reason.
///
/// # Errors
/// `BAD_REQUEST` where one of them cannot stand in a header.
pub(crate) fn standing(options: &Options) -> Result<HeaderMap> {
    let mut map = HeaderMap::with_capacity(8);
    let plain = |text: &str| {
        HeaderValue::try_from(text)
            .map_err(|_| ClientError::usage("this text cannot stand in an HTTP header"))
    };
    map.insert(header::HOST, plain(&options.target.host_header())?);
    map.insert(header::USER_AGENT, plain(&options.agent)?);
    if let Some(credential) = &options.credential {
        let text = Zeroizing::new(format!("Bearer {}", credential.reveal()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| ClientError::usage("the token holds characters that no token has"))?;
        value.set_sensitive(true);
        map.insert(header::AUTHORIZATION, value);
    }
    for (name, text) in [(headers::CLAIM, &options.claim), (headers::REASON, &options.reason)] {
        let Some(text) = text else { continue };
        map.insert(HeaderName::from_static(name), plain(&shortened(text))?);
    }
    Ok(map)
}

/// A text for a header of bounded length, cut between characters.
fn shortened(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let next = percent::encode_header(character.encode_utf8(&mut [0; 4]));
        if out.len() + next.len() > headers::MAX_HEADER_TEXT {
            break;
        }
        out.push_str(&next);
    }
    out
}
