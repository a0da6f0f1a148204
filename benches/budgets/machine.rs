//! Where it was measured: figures without their machine say nothing.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::processes::{family_micros, machine_micros};
use crate::stopwatch::{Stopwatch, count};

/// What the figures depend on and this program cannot change.
#[derive(Debug)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory: String,
    kernel: String,
    disk: String,
    load: String,
}

impl Machine {
    /// Reads what Linux says about itself and about the disk below `folder`; what it does not say is "unknown".
    pub(crate) fn read(folder: &Path) -> Self {
        Self {
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: field("/proc/meminfo", "MemTotal"),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            disk: disk_below(folder),
            load: first_line("/proc/loadavg"),
        }
    }

    pub(crate) fn cores(&self) -> usize {
        self.cores
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory, kernel, disk, load } = self;
        let build = if cfg!(debug_assertions) { "DEBUG BUILD" } else { "release build" };
        writeln!(f, "machine  {processor}, {cores} cores, {memory} of memory, Linux {kernel}")?;
        writeln!(f, "disk     {disk}")?;
        write!(f, "load     {load} when it began; stepwell {}, {build}", env!("CARGO_PKG_VERSION"))
    }
}

/// What other processes did meanwhile: a figure from a busy machine is no figure. A server of the benchmark is one of its own
/// when it has ended.
#[derive(Debug)]
pub(crate) struct Others {
    watch: Stopwatch,
    micros: f64,
}

impl Others {
    pub(crate) fn watch() -> Result<Self> {
        Ok(Self { watch: Stopwatch::start(), micros: Self::micros()? })
    }

    fn micros() -> Result<f64> {
        Ok(machine_micros()? - family_micros()?)
    }

    /// How much of the machine they took.
    pub(crate) fn describe(&self, cores: usize) -> Result<String> {
        let all = self.watch.seconds() * 1e6 * count(cores);
        // Two clocks of the kernel that differ by a tick here and there.
        let share = (100.0 * (Self::micros()? - self.micros) / all).max(0.0);
        let verdict = if share > 10.0 { ": TOO MUCH, measure again" } else { "" };
        Ok(format!("other processes took {share:.0} % of the processor meanwhile{verdict}"))
    }
}

const UNKNOWN: &str = "unknown";

fn first_line(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or(UNKNOWN).trim().to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or(UNKNOWN, |(_, value)| value.trim()).to_owned()
}

/// The device and file system that hold a folder: the mount with the longest path above it.
fn disk_below(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, point, system) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(point).then_some((point.len(), device, system))
    });
    let Some((_, device, system)) = mounts.max_by_key(|(length, ..)| *length) else {
        return UNKNOWN.to_owned();
    };
    let name = device.rsplit('/').next().unwrap_or_default();
    let turns = match first_line(&format!("/sys/block/{name}/queue/rotational")).as_str() {
        "0" => ", not rotating",
        "1" => ", rotating or said to be",
        _ => "",
    };
    format!("{device} ({system}{turns})")
}
