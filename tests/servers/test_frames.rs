//! The protocol as it is on the wire, without a server.

use stepwell_test_servers::proxy::deed::Deed;
use stepwell_test_servers::proxy::frames::{Frames, Kind};

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const STARTUP: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// Parse of `s1`, Bind, Execute and Sync, in one write.
const PIPELINE: &[u8] = b"P\0\0\0\x12s1\0select 1\0\0\0\
    B\0\0\0\x10\0s1\0\0\0\0\0\0\x01\0\x01\
    E\0\0\0\x09\0\0\0\0\0\
    S\0\0\0\x04";

fn kinds(frames: &mut Frames) -> Vec<Kind> {
    std::iter::from_fn(|| frames.next_frame()).map(|frame| frame.kind).collect()
}

#[test]
fn a_client_opens_without_letters_and_goes_on_with_them() {
    let mut frames = Frames::of_client();

    frames.push(&[SSL_REQUEST, STARTUP, COMMIT].concat());

    let asked = frames.next_frame().unwrap();
    assert!(asked.kind.asks_for_encryption());
    assert_eq!(asked.bytes, SSL_REQUEST);
    let started = frames.next_frame().unwrap();
    assert!(started.kind.starts_up());
    assert_eq!((started.text(0), started.text(1)), (&b"user"[..], &b"postgres"[..]));
    let said = frames.next_frame().unwrap();
    assert_eq!((said.kind, said.text(0)), (Kind::Tagged(b'Q'), &b"COMMIT"[..]));
    assert!(frames.next_frame().is_none());
}

#[test]
fn messages_in_one_write_are_cut_apart() {
    let mut frames = Frames::of_client();
    frames.push(STARTUP);
    frames.next_frame().unwrap();

    frames.push(PIPELINE);

    let parse = frames.next_frame().unwrap();
    assert_eq!((parse.text(0), parse.text(1)), (&b"s1"[..], &b"select 1"[..]));
    let bind = frames.next_frame().unwrap();
    assert_eq!((bind.text(0), bind.text(1)), (&b""[..], &b"s1"[..]));
    assert_eq!(kinds(&mut frames), [Kind::Tagged(b'E'), Kind::Tagged(b'S')]);
}

#[test]
fn a_message_in_many_pieces_is_one_message() {
    let whole = [STARTUP, PIPELINE, COMMIT].concat();
    let mut at_once = Frames::of_client();
    at_once.push(&whole);
    let mut in_pieces = Frames::of_client();
    let mut cut = Vec::new();

    for byte in &whole {
        in_pieces.push(&[*byte]);
        cut.extend(in_pieces.next_frame());
    }

    assert_eq!(cut, std::iter::from_fn(|| at_once.next_frame()).collect::<Vec<_>>());
    assert_eq!(cut.iter().map(|frame| frame.bytes.len()).sum::<usize>(), whole.len());
}

#[test]
fn the_answer_to_a_wish_for_encryption_is_one_letter() {
    let mut frames = Frames::of_server();
    frames.expect_answer();

    frames.push(b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");

    assert_eq!(kinds(&mut frames), [Kind::Answer(b'N'), Kind::Tagged(b'R'), Kind::Tagged(b'Z')]);
}

#[test]
fn statements_are_known_by_what_they_do_to_their_transaction() {
    for (sql, deed) in [
        ("COMMIT", Deed::Commit),
        (" commit ;\n", Deed::Commit),
        ("begin; insert into t values (1); commit", Deed::Commit),
        ("BEGIN", Deed::Begin),
        ("begin isolation level repeatable read", Deed::Begin),
        ("start transaction", Deed::Begin),
        ("ROLLBACK", Deed::Rollback),
        ("rollback to savepoint _sqlx_savepoint_1", Deed::Other),
        ("-- Appends.\ninsert into t\nvalues ($1)", Deed::Write),
        ("with gone as (delete from t returning n) select n from gone", Deed::Write),
        ("update t set n = 1", Deed::Write),
        ("-- Does not insert.\nselect n from t", Deed::Other),
        ("select updated_at from deletes", Deed::Other),
        ("select n from t for update skip locked", Deed::Other),
        ("select n from t for no key update", Deed::Other),
        ("", Deed::Other),
    ] {
        assert_eq!(Deed::of(sql.as_bytes()), deed, "{sql}");
    }
}
