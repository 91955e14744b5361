//! Two voices of an error: code, sentence and hint go out; the cause goes to the log, under the same request id.

use hqv_api::ErrorBody;
use hqv_model::{Code, Error, RequestId};
use http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::answer::json;
use crate::body::Body;

/// An error on its way out, with what HTTP adds to it.
#[derive(Debug)]
pub struct Refusal {
    error: Error,
    status: Option<StatusCode>,
    allow: Option<&'static str>,
    close: bool,
}

/// What a handler gives.
pub type Answer = Result<Response<Body>, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, status: None, allow: None, close: false }
    }
}

impl Refusal {
    /// An error whose status is not its code's own: 405, 415 and such are `BAD_REQUEST` to a program.
    pub fn with_status(error: Error, status: StatusCode) -> Self {
        Self { status: Some(status), ..Self::from(error) }
    }

    /// 405 with the methods that the resource has (RFC 9110 section 15.5.6).
    pub fn method(allow: &'static str) -> Self {
        let error = Error::bad_request(format!("this address takes {allow}"));
        Self { allow: Some(allow), ..Self::with_status(error, StatusCode::METHOD_NOT_ALLOWED) }
    }

    /// The same refusal, and the connection closes: what follows on it can no longer be told apart from this
    /// request's rest.
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The error itself.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The answer. `log` gets the cause, where there is one; not the sentence, which may name a path.
    pub fn into_response(self, request: RequestId, log: &dyn Fn(&str)) -> Response<Body> {
        let code = self.error.code();
        if let Some(cause) = self.error.cause_text() {
            log(&format!("{request} {}: {cause}", code.as_str()));
        }
        let body = ErrorBody::new(&self.error, Some(request.to_string()));
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(self.status.unwrap_or(status), &body);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(secs) = self.error.retry_after_secs() {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// `UNAUTHORIZED`, with what to do.
pub fn unauthorized(message: impl Into<String>) -> Error {
    Error::new(Code::Unauthorized, message).hint("send \"Authorization: Bearer TOKEN\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn id() -> RequestId {
        RequestId::from_bytes([7; 16])
    }

    #[test]
    fn the_cause_goes_to_the_log_and_nowhere_else() {
        let log = RefCell::new(String::new());
        let error = Error::internal("the vault could not be read").cause("disk sector 7");
        let response = Refusal::from(error).into_response(id(), &|line| log.borrow_mut().push_str(line));
        assert_eq!(response.status(), 500);
        let body = String::from_utf8_lossy(response.body().bytes_for_test()).into_owned();
        assert!(body.contains("\"INTERNAL\"") && body.contains("req_") && !body.contains("sector"), "{body}");
        assert!(log.borrow().contains("disk sector 7") && log.borrow().contains(&id().to_string()));
        assert!(!log.borrow().contains("could not be read"));
    }

    #[test]
    fn what_http_wants_beside_the_body() {
        let quiet = |_: &str| {};
        let response = Refusal::method("GET, PUT").into_response(id(), &quiet);
        assert_eq!(
            (response.status().as_u16(), response.headers()[ALLOW].as_bytes()),
            (405, &b"GET, PUT"[..])
        );
        let response = Refusal::from(unauthorized("no")).into_response(id(), &quiet);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        let limited = Error::new(Code::RateLimited, "slow down").retry_after(3);
        let response = Refusal::from(limited).closing().into_response(id(), &quiet);
        assert_eq!(
            (response.status().as_u16(), response.headers()[RETRY_AFTER].as_bytes()),
            (429, &b"3"[..])
        );
        assert_eq!(response.headers()[CONNECTION], "close");
    }
}
