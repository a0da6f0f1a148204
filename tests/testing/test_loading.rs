//! What is said where a module is not there, or is none.

use stepwell_testing::TestHost;

#[test]
fn a_module_that_was_not_built_is_told_with_the_command() {
    let error = TestHost::load("target/nowhere.wasm").unwrap_err();

    let said = format!("{error:?}");
    assert!(said.contains("target/nowhere.wasm is not there"), "{said}");
    assert!(said.contains("cargo build --release --target wasm32-wasip2"), "{said}");
}

#[test]
fn what_is_no_module_is_refused_as_a_host_would() {
    let error = TestHost::of_bytes(b"not wasm").unwrap_err();

    assert!(error.to_string().contains("this is no WebAssembly"), "{error}");
}
