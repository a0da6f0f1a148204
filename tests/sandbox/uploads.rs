//! Uploads are hostile until proven otherwise.

use std::sync::Arc;

use arbitrary::Unstructured;
use stepwell::sandbox::{AdmitError, Refusal};
use tokio::task::JoinSet;

use crate::house;

async fn refusal(wasm: &[u8]) -> Refusal {
    match house::sandbox().admit(wasm).await {
        Err(AdmitError::Refused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_module_is_admitted_with_its_manifest() {
    let (digest, manifest) = house::sandbox().admit(&house::guest("checkout")).await.unwrap();

    assert!(manifest.workflow("checkout").is_some());
    assert_eq!(house::sandbox().loaded(digest).unwrap().digest(), digest);
}

#[tokio::test]
async fn what_is_no_component_is_named() {
    assert!(matches!(refusal(b"<!doctype html>").await, Refusal::NotWasm));
    assert!(matches!(refusal(b"").await, Refusal::NotWasm));
    assert!(matches!(refusal(b"\0asm\x01\0\0\0").await, Refusal::CoreModule));
    assert!(matches!(refusal(b"\x7fELF").await, Refusal::Precompiled));
}

#[tokio::test]
async fn a_component_cut_short_is_refused_wherever_it_is_cut() {
    let whole = house::guest("checkout");

    for part in 1..16 {
        let cut = &whole[..whole.len() * part / 16];
        let refusal = refusal(cut).await;
        assert!(matches!(refusal, Refusal::Invalid { .. }), "{part}/16: {refusal}");
    }
}

#[tokio::test]
async fn a_component_of_another_world_is_told_what_is_missing() {
    // An empty component, and one that imports a function of the host's root.
    let empty = b"\0asm\x0d\0\x01\0";
    let import = b"\0asm\x0d\0\x01\0\x07\x05\x01\x40\x00\x01\x00\x0a\x0a\x01\x00\x05hello\x01\x00";

    let refusals = [refusal(empty).await.to_string(), refusal(import).await.to_string()];

    assert!(refusals[0].contains("does not export stepwell:workflow/guest@0.1.0"), "{refusals:?}");
    assert!(refusals[1].contains("imports hello"), "{refusals:?}");
}

#[tokio::test]
async fn what_is_too_long_is_refused_by_its_length() {
    let mut long = house::guest("checkout");
    long.resize(house::limits().module_bytes_max + 1, 0);

    assert!(refusal(&long).await.to_string().contains("module_bytes_max"));
}

/// A component of nested components, each of which instantiates the one inside twice.
fn doubling(levels: u32) -> Vec<u8> {
    let mut inner = component(&[
        // One core module, empty, and one instance of it.
        (1, b"\0asm\x01\0\0\0".to_vec()),
        (2, vec![1, 0, 0, 0]),
    ]);
    for _ in 0..levels {
        // The component, and two instances of it.
        inner = component(&[(4, inner), (5, vec![2, 0, 0, 0, 0, 0, 0])]);
    }
    inner
}

fn component(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for (id, content) in sections {
        bytes.push(*id);
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(content);
    }
    bytes
}

#[tokio::test]
async fn a_kilobyte_that_asks_for_millions_of_instances_is_refused_unread() {
    for levels in [2, 8, 20] {
        let refusal = refusal(&doubling(levels)).await.to_string();
        assert!(refusal.contains("at most") || refusal.contains("does not export"), "{refusal}");
    }
    assert!(refusal(&doubling(20)).await.to_string().contains("levels of nesting"));
}

/// A small generator (SplitMix64), so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % (end.max(1) as u64)).unwrap()
    }
}

/// A real component with some bytes changed, cut, moved or doubled.
fn mutated(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    match dice.below(4) {
        0 => bytes.truncate(dice.below(bytes.len())),
        1 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(bytes.len());
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }
        }
        2 => {
            let (a, b) = (dice.below(bytes.len()), dice.below(bytes.len()));
            bytes.swap(a, b);
            bytes[a] ^= 1 << dice.below(8);
        }
        _ => {
            let at = dice.below(bytes.len());
            let end = bytes.len().min(at + dice.below(64));
            let piece = bytes[at..end].to_vec();
            let to = dice.below(bytes.len());
            bytes.splice(to..to, piece);
        }
    }
    bytes
}

/// A component made up by wasm-smith.
fn generated(dice: &mut Dice) -> Option<Vec<u8>> {
    let entropy: Vec<u8> = (0..256).flat_map(|_| dice.roll().to_le_bytes()).collect();
    let mut entropy = Unstructured::new(&entropy);
    let component = wasm_smith::Component::new(wasm_smith::Config::default(), &mut entropy).ok()?;
    Some(component.to_bytes())
}

#[tokio::test]
async fn two_thousand_hostile_uploads_are_each_refused_or_run_and_never_break_the_host() {
    // A small seed, so that changes hit what matters; most of a large one is code.
    let seed = house::guest("checkout");
    let mut dice = Dice(1);
    let uploads: Vec<Vec<u8>> = (0..2_200)
        .filter_map(|number| {
            if number % 4 == 0 { generated(&mut dice) } else { Some(mutated(&seed, &mut dice)) }
        })
        .collect();
    assert!(uploads.len() >= 2_000, "{} uploads", uploads.len());

    // Those that get past the scan are compiled, which takes the time: two at once.
    let uploads = Arc::new(uploads);
    let mut lanes = JoinSet::new();
    for lane in 0..4 {
        let uploads = Arc::clone(&uploads);
        lanes.spawn(async move {
            let mut admitted = 0;
            for upload in uploads.iter().skip(lane).step_by(4) {
                match house::sandbox().admit(upload).await {
                    Ok(_) => admitted += 1,
                    Err(AdmitError::Refused(_)) => {}
                    Err(AdmitError::Host(error)) => panic!("the host was at fault: {error:?}"),
                }
            }
            admitted
        });
    }
    let admitted: Vec<usize> = lanes.join_all().await;

    println!("{} hostile uploads, {} admitted", uploads.len(), admitted.iter().sum::<usize>());
    let report = house::run_step(house::call("echo", "1")).await;
    assert!(report.ending.failure().is_none(), "{:?}", report.ending);
}
