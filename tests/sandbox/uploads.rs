//! Uploads are hostile until proven otherwise.

use std::sync::Arc;

use arbitrary::Unstructured;
use stepwell::sandbox::{AdmitError, Refusal};
use tokio::task::JoinSet;

use crate::handmade::handmade;
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

async fn admit_every_fourth(uploads: Arc<Vec<Vec<u8>>>, first: usize) -> usize {
    let mut admitted = 0;
    for upload in uploads.iter().skip(first).step_by(4) {
        admitted += usize::from(is_admitted(upload).await);
    }
    admitted
}

async fn is_admitted(upload: &[u8]) -> bool {
    match house::sandbox().admit(upload).await {
        Ok(_module) => true,
        Err(AdmitError::Refused(_)) => false,
        Err(AdmitError::Host(error)) => panic!("the host was at fault: {error:?}"),
    }
}

#[tokio::test]
async fn two_thousand_hostile_uploads_are_each_refused_or_run_and_never_break_the_host() {
    // Mostly a small seed, so that changes hit what matters and little time goes into compiling: most of a real one is code.
    let (small, real) = (handmade(), house::guest("checkout"));
    let mut dice = Dice(1);
    let uploads: Vec<Vec<u8>> = (0..2_400)
        .filter_map(|number| match number % 32 {
            0 => Some(mutated(&real, &mut dice)),
            1..16 => generated(&mut dice),
            _ => Some(mutated(&small, &mut dice)),
        })
        .collect();
    assert!(uploads.len() >= 2_000, "{} uploads", uploads.len());

    // Those that get past the scan are compiled, which takes the time: two at once.
    let uploads = Arc::new(uploads);
    let mut lanes = JoinSet::new();
    for lane in 0..4 {
        let uploads = Arc::clone(&uploads);
        lanes.spawn(admit_every_fourth(uploads, lane));
    }
    let admitted: Vec<usize> = lanes.join_all().await;

    println!("{} hostile uploads, {} admitted", uploads.len(), admitted.iter().sum::<usize>());
    let report = house::run_step(house::call("echo", "1")).await;
    assert!(report.ending.failure().is_none(), "{:?}", report.ending);
}
