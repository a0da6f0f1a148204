//! What `bindgen!` makes of `wit/`. One world, so one set of traits: both kinds of guest implement them, each in its own way.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "module",
    imports: {
        "stepwell:workflow/durable.next": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
