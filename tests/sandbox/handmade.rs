//! What no compiler of guests would do, in a module written by hand.

use stepwell::model::{StepReport, kind};
use stepwell::sandbox::{AdmitError, Refusal};
use tokio_util::sync::CancellationToken;

use crate::house::{call, failure, sandbox};

const HANDMADE: &str = include_str!("handmade.wat");

/// The module, compiled from its text.
pub(crate) fn handmade() -> Vec<u8> {
    wat::parse_str(HANDMADE).unwrap()
}

async fn run(step: &str) -> StepReport {
    let (digest, _) = sandbox().admit(&handmade()).await.unwrap();
    let module = sandbox().loaded(digest).unwrap();
    sandbox().run_step(&module, call(step, "null"), CancellationToken::new()).await
}

async fn refusal(text: &str) -> Refusal {
    match sandbox().admit(&wat::parse_str(text).unwrap()).await {
        Err(AdmitError::Refused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_module_needs_no_sdk() {
    let report = run("plain").await;

    assert!(report.ending.failure().is_none(), "{:?}", report.ending);
}

#[tokio::test]
async fn tables_grow_to_their_limit() {
    let report = run("tables").await;

    let failure = failure(&report);
    assert_eq!(failure.kind, kind::MEMORY_EXCEEDED, "{failure}");
    assert!(failure.message.contains("guest_table_elements_max"), "{failure}");
    let details = failure.details.as_ref().unwrap().as_str();
    assert!(details.contains("grow_tables"), "{details}");
}

#[tokio::test]
async fn handles_are_counted() {
    let report = run("handles").await;

    assert_eq!(failure(&report).kind, kind::MEMORY_EXCEEDED, "{}", failure(&report));
}

#[tokio::test]
async fn a_flood_of_calls_of_wasi_is_charged_for() {
    let report = run("clock").await;

    assert_eq!(failure(&report).kind, kind::FUEL_EXHAUSTED, "{}", failure(&report));
    assert!(report.usage.duration_micros < 30_000_000, "{:?}", report.usage);
}

#[tokio::test]
async fn a_result_of_many_megabytes_is_never_copied() {
    let report = run("result").await;
    assert_eq!(failure(&report).kind, kind::OUTPUT_EXCEEDED, "{}", failure(&report));

    let report = run("out of bounds").await;
    let kinds = [kind::OUTPUT_EXCEEDED, kind::TRAPPED];
    assert!(kinds.contains(&failure(&report).kind.as_str()), "{}", failure(&report));
}

#[tokio::test]
async fn a_module_that_cannot_even_begin_is_refused() {
    let looping = HANDMADE.replace(
        "(func $grow_tables",
        "(func $forever (loop $more (br $more))) (start $forever) (func $grow_tables",
    );

    let refusal = refusal(&looping).await;

    let Refusal::Describe(failure) = &refusal else { panic!("{refusal}") };
    assert_eq!(failure.kind, kind::FUEL_EXHAUSTED, "{failure}");
}

#[tokio::test]
async fn a_manifest_that_is_none_is_refused() {
    let broken = HANDMADE.replace("manifest", "manifold");

    assert!(matches!(refusal(&broken).await, Refusal::Manifest(_)));
}

#[tokio::test]
async fn what_makes_compiling_or_running_dear_is_refused_unread() {
    let many_memories = "(component (core module (memory 1) (memory 1)))";
    let large_memory = "(component (core module (memory 60000)))";
    let large_table = "(component (core module (table 9000000 funcref)))";
    let many_locals = format!("(component (core module (func (local {}))))", "i32 ".repeat(6_000));
    let large_function = format!(
        "(component (core module (func {})))",
        "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(200_000)
    );
    let many_functions = format!("(component (core module {}))", "(func)".repeat(50_001));
    let deep = "(component (component (component (component (component)))))";
    let other_import = "(component (import \"wasi:http/incoming-handler@0.2.0\" (instance)))";

    let expected: [(&str, &str); 8] = [
        (many_memories, "memories in one core module"),
        (large_memory, "pages of memory"),
        (large_table, "entries in one table"),
        (&many_locals, "locals in one function"),
        (&large_function, "bytes in one function"),
        (&many_functions, "functions"),
        (deep, "levels of nesting"),
        (other_import, "imports wasi:http/incoming-handler@0.2.0, which this host does not offer"),
    ];

    for (text, says) in expected {
        let refusal = refusal(text).await.to_string();
        assert!(refusal.contains(says), "{refusal} does not say {says}");
    }
}

/// Components in components, each of which makes two of the one inside.
fn doubling(levels: usize) -> String {
    let innermost = "(core module $m) (core instance (instantiate $m))".to_owned();
    let inner = (0..levels).fold(innermost, |inner, _| {
        format!("(component $c {inner}) (instance (instantiate $c)) (instance (instantiate $c))")
    });
    format!("(component {inner})")
}

/// The same side by side, so that nothing is nested deep.
fn doubling_in_a_row(levels: usize) -> String {
    let first = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    let twice = "(instance (instantiate $i)) (instance (instantiate $i))";
    let row = (1..=levels).fold(first, |row, level| {
        let inner = level - 1;
        format!("{row} (component $c{level} (alias outer 1 $c{inner} (component $i)) {twice})")
    });
    format!("(component {row} (instance (instantiate $c{levels})))")
}

#[tokio::test]
async fn a_kilobyte_that_asks_for_millions_of_instances_is_refused_unread() {
    assert!(refusal(&doubling(2)).await.to_string().contains("does not export"));
    assert!(refusal(&doubling(3)).await.to_string().contains("levels of nesting"));

    // Counted while it is read: what follows the seventh doubling is not.
    let row = refusal(&doubling_in_a_row(14)).await.to_string();
    assert!(row.contains("128 core instances"), "{row}");
}
