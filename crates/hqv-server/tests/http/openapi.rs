//! The document says what is served: every route, under its name, and nothing else.

use hqv_api::ROUTES;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(hqv_server::openapi::document()).unwrap()
}

#[test]
fn every_published_route_is_described() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((
                method.to_uppercase(),
                path.clone(),
                operation["operationId"].as_str().unwrap().to_owned(),
            ));
        }
    }
    let routes: BTreeSet<_> =
        ROUTES.iter().map(|r| (r.method.as_str().to_owned(), r.path.to_owned(), r.id.to_owned())).collect();
    let missing: Vec<_> = routes.difference(&described).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_reference_leads_somewhere_and_open_calls_need_no_credential() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let open = operation["security"]
            .as_array()
            .is_some_and(|s| s.iter().any(|one| one == &serde_json::json!({})));
        assert_eq!(open, route.needs != hqv_api::Needs::Credential, "{}", route.id);
    }
}

#[test]
fn the_copy_in_spec_is_this_document() {
    let copy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/openapi.json");
    let copy = std::fs::read_to_string(copy).unwrap();
    assert!(
        copy == hqv_server::openapi::document(),
        "spec/openapi.json is old: cargo run -p hqv-server --example openapi > spec/openapi.json"
    );
}
