//! Building answers: the few shapes there are.

use hqv_api::JsonBody;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::body::Body;

/// The header that carries the request's id.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static(hqv_api::headers::REQUEST_ID);

/// JSON with this status.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    body(status, JsonBody::of(value))
}

/// 200 with JSON.
pub fn ok<T: Serialize>(value: &T) -> Response<Body> {
    json(StatusCode::OK, value)
}

/// JSON that is finished already.
pub fn body(status: StatusCode, body: JsonBody) -> Response<Body> {
    typed(status, "application/json", Body::json(body))
}

/// Any body with its content type.
///
/// Every answer is `no-store`: no proxy and no browser keeps what a vault says (RFC 9111 section 5.2.2.5).
pub fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
