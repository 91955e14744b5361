//! Prints the OpenAPI document: `cargo run -p hqv-server --example openapi > spec/openapi.json`.
#![forbid(unsafe_code)]

fn main() {
    print!("{}", hqv_server::openapi::document());
}
