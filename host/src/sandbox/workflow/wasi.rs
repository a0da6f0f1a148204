//! WASI in a workflow: a clock and randomness that its journal determines, and nothing that reaches the world.
//!
//! A module holds workflows and steps, so it imports what its steps need. The imports are there, and whoever calls one in a
//! workflow is told to move that to a step.

use sha2::{Digest, Sha256};
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::{self, DynPollable};

use super::Workflow;
use crate::sandbox::guest::{Guest, Verdict};

/// What calling the world from a workflow is called.
pub(super) const NOT_IN_A_WORKFLOW: &str = "not-in-a-workflow";

/// The longest randomness at once, in bytes.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// The version that wasmtime-wasi declares. Guests that import any other 0.2 link to it.
const VERSION: &str = "0.2.12";

/// The functions through which the world would come in. Their results are the only way to all the others: without a
/// descriptor nothing is read, without a socket nothing is sent.
const DOORS: [(&str, &str, &str); 6] = [
    ("wasi:http/outgoing-handler", "handle", "the network"),
    ("wasi:filesystem/preopens", "get-directories", "the file system"),
    ("wasi:sockets/instance-network", "instance-network", "the network"),
    ("wasi:sockets/tcp-create-socket", "create-tcp-socket", "the network"),
    ("wasi:sockets/udp-create-socket", "create-udp-socket", "the network"),
    ("wasi:sockets/ip-name-lookup", "resolve-addresses", "the network"),
];

/// Links WASI as a workflow sees it.
pub(super) fn link(linker: &mut Linker<Guest<Workflow>>) -> wasmtime::Result<()> {
    p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    // From here on, what is linked takes the place of what the line above has linked.
    linker.allow_shadowing(true);
    wall_clock::add_to_linker::<_, HasSelf<Guest<Workflow>>>(linker, |guest| guest)?;
    monotonic_clock::add_to_linker::<_, HasSelf<Guest<Workflow>>>(linker, |guest| guest)?;
    random::add_to_linker::<_, HasSelf<Guest<Workflow>>>(linker, |guest| guest)?;
    insecure::add_to_linker::<_, HasSelf<Guest<Workflow>>>(linker, |guest| guest)?;
    insecure_seed::add_to_linker::<_, HasSelf<Guest<Workflow>>>(linker, |guest| guest)?;
    for (interface, function, what) in DOORS {
        let mut instance = linker.instance(&format!("{interface}@{VERSION}"))?;
        instance.func_new(function, move |_store, _type, _arguments, _results| {
            Err(elsewhere(&format!("{what} is")))
        })?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

fn elsewhere(what: &str) -> wasmtime::Error {
    Verdict::failed(
        NOT_IN_A_WORKFLOW,
        format!("{what} not available in a workflow: move it to a step"),
    )
}

impl wall_clock::Host for Guest<Workflow> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let micros = u64::try_from(self.world.now().as_micros()).unwrap_or(0);
        let nanoseconds = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Ok(wall_clock::Datetime { seconds: micros / 1_000_000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000 })
    }
}

impl monotonic_clock::Host for Guest<Workflow> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let micros = u64::try_from(self.world.now().as_micros()).unwrap_or(0);
        Ok(micros.saturating_mul(1_000))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(
        &mut self,
        _when: u64,
    ) -> wasmtime::Result<wasmtime::component::Resource<DynPollable>> {
        Err(asleep())
    }

    fn subscribe_duration(
        &mut self,
        _duration: u64,
    ) -> wasmtime::Result<wasmtime::component::Resource<DynPollable>> {
        Err(asleep())
    }
}

fn asleep() -> wasmtime::Error {
    Verdict::failed(
        NOT_IN_A_WORKFLOW,
        "sleeping on the machine's clock is not available in a workflow: use stepwell::sleep, which survives restarts, \
         or move it to a step",
    )
}

impl random::Host for Guest<Workflow> {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.world.seed.number())
    }
}

impl insecure::Host for Guest<Workflow> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.world.seed.number())
    }
}

impl insecure_seed::Host for Guest<Workflow> {
    /// What hash maps are ordered by.
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.world.seed.number(), self.world.seed.number()))
    }
}

impl Guest<Workflow> {
    fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES_MAX {
            let what = format!(
                "{length} random bytes were asked for, at most {RANDOM_BYTES_MAX} are given at once"
            );
            return Err(Verdict::failed(crate::model::kind::TRAPPED, what));
        }
        self.meter.charge(length);
        Ok(self.world.seed.bytes(usize::try_from(length).unwrap_or(0)))
    }
}

/// Bytes that look random and are the same on every replay of the run.
#[derive(Debug)]
pub(super) struct Seed {
    seed: [u8; 32],
    blocks: u64,
}

impl Seed {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, blocks: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.blocks += 1;
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.blocks.to_be_bytes())
            .finalize()
            .into()
    }

    fn number(&mut self) -> u64 {
        self.block().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let block = self.block();
            bytes.extend_from_slice(&block[..block.len().min(length - bytes.len())]);
        }
        bytes
    }
}
