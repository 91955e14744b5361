//! What the OpenAPI document will say of the types.
#![allow(missing_docs, clippy::unwrap_used)]

use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

fn schema<T: ToSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()
}

fn at<'a>(schema: &'a Value, pointer: &str) -> &'a Value {
    schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in {schema}"))
}

#[test]
fn a_secret_is_a_string_that_viewers_hide() {
    let secret = <hqv_api::WireSecret as PartialSchema>::schema();
    let secret = serde_json::to_value(secret).unwrap();
    assert_eq!((at(&secret, "/type"), at(&secret, "/format")), (&json!("string"), &json!("password")));
}

#[test]
fn requests_say_that_unknown_fields_are_refused() {
    let closed = [
        schema::<hqv_api::PutRequest>(),
        schema::<hqv_api::BatchRequest>(),
        schema::<hqv_api::TransferRequest>(),
        schema::<hqv_api::TokenRequest>(),
        schema::<hqv_api::SessionRequest>(),
        schema::<hqv_api::InitRequest>(),
        schema::<hqv_api::UnlockRequest>(),
        schema::<hqv_api::EntryRequest>(),
        schema::<hqv_api::EntryAnswerRequest>(),
        schema::<hqv_api::EntryProof>(),
        schema::<hqv_api::AskRequest>(),
        schema::<hqv_api::AskCollectRequest>(),
        schema::<hqv_api::AskApproveRequest>(),
    ];
    for request in closed {
        assert_eq!(at(&request, "/additionalProperties"), &json!(false), "{request}");
    }
}

#[test]
fn names_and_needs_of_the_fields() {
    let put = schema::<hqv_api::PutRequest>();
    assert_eq!(at(&put, "/required"), &json!(["value"]));
    assert_eq!(at(&put, "/properties/tags/type"), &json!("object"));
    assert_eq!(at(&put, "/properties/expires/type"), &json!(["string", "null"]));
    let token = schema::<hqv_api::TokenRequest>();
    assert_eq!(at(&token, "/required"), &json!(["name"]));
    assert_eq!(at(&token, "/properties/max_uses/minimum"), &json!(1));
    let entry = schema::<hqv_api::EntryRequest>();
    assert_eq!(at(&entry, "/required"), &json!(["path"]));
    assert_eq!(at(&entry, "/properties/type/type"), &json!(["string", "null"]));
    let ask = schema::<hqv_api::AskRequest>();
    assert_eq!(at(&ask, "/properties/max_uses/minimum"), &json!(1));
    assert_eq!(
        at(&schema::<hqv_api::AskApproveRequest>(), "/required"),
        &json!(["fingerprint"]),
        "nothing is approved unseen"
    );
    let answer = schema::<hqv_api::TokenMetadata>();
    assert_eq!(at(&answer, "/properties/maxUses/type"), &json!(["integer", "null"]));
    assert_eq!(
        at(&schema::<hqv_api::GetAnswer>(), "/properties/metadata/$ref"),
        "#/components/schemas/Metadata"
    );
    assert_eq!(at(&schema::<hqv_api::ErrorBody>(), "/required"), &json!(["error", "code"]));
}
