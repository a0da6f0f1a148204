//! What is written is read back; what is not understood is an error.

use proptest::prelude::*;

use super::super::{
    Arrival, Body, CodecError, CommandEntry, Encoded, Ended, Entry, Event, Recorded, Redrive,
    RunEntry, RunReason, Started, VERSION, decode, decode_arrival, encode, encode_arrival,
};
use super::{at, cases, json};
use crate::model::{
    ExecutionId, ExecutionState, Failure, ModuleDigest, Name, Outcome, Payload, Promise, Run, Seq,
    StepUsage,
};

fn names() -> impl Strategy<Value = Name> {
    "[a-zA-Zß€ .-]{1,20}".prop_map(|text| Name::new(&text).unwrap())
}

fn payloads() -> impl Strategy<Value = Payload> {
    ".{0,20}".prop_map(json)
}

fn promises() -> impl Strategy<Value = Promise> {
    any::<u32>().prop_map(Promise)
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let failures = (".{0,9}", ".{0,20}", prop::option::of(payloads()))
        .prop_map(|(kind, message, details)| Failure { kind, message, details });
    prop_oneof![payloads().prop_map(Ok), failures.prop_map(Err)]
}

fn usages() -> impl Strategy<Value = StepUsage> {
    (any::<u64>(), 0u64..3, 0u64..3).prop_map(|(fuel, memory_peak_bytes, duration_micros)| {
        StepUsage { fuel: fuel % 3, memory_peak_bytes, duration_micros }
    })
}

fn frames() -> impl Strategy<Value = Body> {
    let started = (names(), payloads(), any::<[u8; 32]>())
        .prop_map(|(workflow, input, seed)| Body::Started(Started { workflow, input, seed }));
    let why = prop::sample::select(vec![
        RunReason::ContinueAsNew,
        RunReason::Retry,
        RunReason::Redrive,
        RunReason::Upgrade,
    ]);
    let redrive = (any::<u32>(), prop::option::of(names()), any::<u32>()).prop_map(
        |(promise, queue, attempts)| Redrive { promise: Promise(promise), queue, attempts },
    );
    let ids = prop::collection::vec(".{0,9}", 0..4);
    let run = (any::<u64>(), why, any::<[u8; 32]>(), ids, prop::option::of(redrive)).prop_map(
        |(from, why, module, signal_ids, redrive)| {
            let module = ModuleDigest::from_bytes(module);
            Body::Run(RunEntry { from: Seq(from), why, module, signal_ids, redrive })
        },
    );
    let state = prop::sample::select(ExecutionState::ALL.to_vec());
    let ended = (state, outcomes(), any::<u64>(), any::<u32>()).prop_map(
        |(state, outcome, fuel, unreceived)| {
            Body::Ended(Ended { state, outcome, fuel, unreceived })
        },
    );
    prop_oneof![started, run, ended, Just(Body::Noted)]
}

fn calls() -> impl Strategy<Value = Recorded> {
    let input = || prop::option::of(payloads());
    let call = (promises(), names(), any::<[u8; 16]>(), input())
        .prop_map(|(promise, step, hash, input)| Recorded::Call { promise, step, hash, input });
    let inputs = prop::option::of(prop::collection::vec(payloads(), 0..4));
    let many = (promises(), names(), any::<[u8; 16]>(), any::<u32>(), inputs).prop_map(
        |(promise, step, hash, count, inputs)| Recorded::CallMany {
            promise,
            step,
            hash,
            count,
            inputs,
        },
    );
    let child = (promises(), names(), any::<[u8; 16]>(), any::<[u8; 16]>(), any::<bool>(), input())
        .prop_map(|(promise, workflow, hash, child, detached, input)| {
            let child = ExecutionId::from_bytes(child);
            Recorded::StartChild { promise, workflow, hash, child, detached, input }
        });
    let again = (any::<[u8; 16]>(), input())
        .prop_map(|(hash, input)| Recorded::ContinueAsNew { hash, input });
    prop_oneof![call, many, child, again]
}

fn commands() -> impl Strategy<Value = Body> {
    let sleep =
        (promises(), any::<u64>(), any::<i64>()).prop_map(|(promise, milliseconds, due)| {
            Recorded::Sleep { promise, milliseconds, due: at(due) }
        });
    let receive =
        (promises(), names()).prop_map(|(promise, signal)| Recorded::Receive { promise, signal });
    let cancel =
        prop::collection::vec(promises(), 0..5).prop_map(|promises| Recorded::Cancel { promises });
    let any_command = prop_oneof![calls(), sleep, receive, cancel];
    (any::<u64>(), any_command)
        .prop_map(|(after, command)| Body::Command(CommandEntry { after: Seq(after), command }))
}

fn events() -> impl Strategy<Value = Event> {
    let settled = (promises(), outcomes(), usages(), any::<u32>()).prop_map(
        |(promise, outcome, usage, attempt)| Event::Settled { promise, outcome, usage, attempt },
    );
    let received = (names(), payloads(), prop::option::of(".{0,9}"))
        .prop_map(|(signal, payload, id)| Event::Received { signal, payload, id });
    prop_oneof![
        settled,
        promises().prop_map(|promise| Event::Fired { promise }),
        received,
        ".{0,20}".prop_map(|reason| Event::CancelRequested { reason }),
        Just(Event::Expired),
    ]
}

fn arrivals() -> impl Strategy<Value = (Run, Arrival)> {
    (events(), any::<u32>(), any::<bool>()).prop_map(|(event, run, force)| {
        let run = Run(run);
        let arrival = match event {
            Event::Settled { promise, outcome, usage, attempt } => {
                Arrival::Settled { run, promise, outcome, usage, attempt }
            }
            Event::Fired { promise } => Arrival::Fired { promise },
            Event::Received { signal, payload, id } => Arrival::Signal { signal, payload, id },
            Event::CancelRequested { reason } => Arrival::Cancel { reason, force },
            Event::Expired => Arrival::Expired,
        };
        (run, arrival)
    })
}

fn bodies() -> impl Strategy<Value = Body> {
    prop_oneof![frames(), commands(), events().prop_map(Body::Event)]
}

/// A row of a real kind whose head is whatever.
fn strange_rows() -> impl Strategy<Value = Encoded> {
    let head = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|mut head| {
            head.insert(0, VERSION);
            head
        }),
    ];
    let data = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    let name = prop::option::of("[a\0b]{0,3}");
    (-1i16..40, prop::option::of(any::<u32>()), name, head, data)
        .prop_map(|(kind, promise, name, head, data)| Encoded { kind, promise, name, head, data })
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_entry_is_read_back(
        body in bodies(),
        seq in any::<u64>(),
        run in any::<u32>(),
        time in any::<i64>(),
        noted in 0u64..3,
    ) {
        let (seq, run, recorded_at) = (Seq(seq), Run(run), at(time));
        let entry = Entry { seq, run, recorded_at, noted, body };

        let read = decode(seq, run, recorded_at, encode(&entry)).unwrap();

        prop_assert_eq!(read, entry);
    }

    #[test]
    fn every_arrival_is_read_back((run, arrival) in arrivals()) {
        let read = decode_arrival(run, encode_arrival(&arrival)).unwrap();

        prop_assert_eq!(read, arrival);
    }

    #[test]
    fn a_row_of_a_newer_version_is_refused_by_its_number(body in bodies(), version in VERSION + 1..) {
        let entry = Entry { seq: Seq(1), run: Run(0), recorded_at: at(1), noted: 0, body };
        let mut row = encode(&entry);
        row.head[0] = version;

        let refused = decode(Seq(1), Run(0), at(1), row);

        prop_assert!(matches!(refused, Err(CodecError::Newer(of)) if of == version));
    }

    #[test]
    fn a_row_that_makes_no_sense_is_an_error_or_an_entry_and_never_a_panic(row in strange_rows()) {
        if let Ok(entry) = decode(Seq(1), Run(0), at(1), row.clone()) {
            prop_assert!((0..30).contains(&row.kind));
            if let Body::Command(command) = &entry.body {
                prop_assert!(command.command.promises_created().take(2).count() <= 2);
            }
        }
        if decode_arrival(Run(0), row.clone()).is_ok() {
            prop_assert!((20..40).contains(&row.kind));
        }
    }

    #[test]
    fn a_head_that_was_cut_or_changed_never_panics(
        body in bodies(),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let entry = Entry { seq: Seq(1), run: Run(0), recorded_at: at(1), noted: 1, body };
        let mut row = encode(&entry);
        let mut other = row.clone();
        row.head.truncate(cut.index(row.head.len()));
        let place = flip.index(other.head.len());
        other.head[place] ^= 0x55;

        let refused = decode(Seq(1), Run(0), at(1), row);

        prop_assert!(matches!(refused, Err(CodecError::Malformed(_))), "{refused:?}");
        if let Ok(other) = decode(Seq(1), Run(0), at(1), other) {
            prop_assert!(other.seq == Seq(1));
        }
    }
}
