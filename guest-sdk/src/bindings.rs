//! What `wit-bindgen` makes of `wit/`. Nothing here is written by hand; the rest of the crate puts a face on it.
#![expect(clippy::pedantic, reason = "the code is generated")]

wit_bindgen::generate!({
    path: "../wit",
    world: "module",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_guest",
});
