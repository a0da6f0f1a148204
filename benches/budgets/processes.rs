//! What the kernel says of processes: the time that processors spent on them, and their memory.

use std::path::Path;

use anyhow::{Context as _, Result};

/// Of `/proc`, whatever the kernel's own tick is.
const TICK_MICROS: f64 = 10_000.0;
/// Fields of a process's `stat`, counted behind its name: who began it, and the first of four times.
const PARENT: usize = 1;
const TIMES: usize = 11;

/// The times that are added up: user and system of the process, and then of those it has begun and seen end.
#[derive(Debug, Clone, Copy)]
enum Of {
    Itself = 2,
    ItselfAndTheEnded = 4,
}

/// The time that the processor has spent on this process, all threads together, user and system, in microseconds.
pub(crate) fn processor_micros() -> Result<f64> {
    Ok(Stat::read("self")?.micros(Of::Itself))
}

/// The same with that of the processes it has started and seen end.
pub(crate) fn family_micros() -> Result<f64> {
    Ok(Stat::read("self")?.micros(Of::ItselfAndTheEnded))
}

/// The time spent on a process, on those it has begun and seen end, and on those it has begun that still run.
pub(crate) fn micros_below(process: &str) -> Result<f64> {
    let mut sum = Stat::read(process)?.micros(Of::ItselfAndTheEnded);
    for entry in std::fs::read_dir("/proc").context("/proc")? {
        let name = entry?.file_name();
        let number = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        // One that has ended meanwhile is counted with its parent the next time.
        let child = number.and_then(|number| Stat::read(number).ok());
        if let Some(child) = child.filter(|child| child.field(PARENT) == Some(process)) {
            sum += child.micros(Of::Itself);
        }
    }
    Ok(sum)
}

/// The line that `/proc` has of a process.
#[derive(Debug)]
struct Stat(String);

impl Stat {
    fn read(process: &str) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        Ok(Self(std::fs::read_to_string(&path).context(path)?))
    }

    /// The name in parentheses may hold anything; the fields are counted behind it.
    fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit(')').next().unwrap_or_default().split_whitespace()
    }

    fn field(&self, place: usize) -> Option<&str> {
        self.fields().nth(place)
    }

    fn micros(&self, of: Of) -> f64 {
        let times = self.fields().skip(TIMES).take(of as usize);
        times.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() * TICK_MICROS
    }
}

/// The time that all processors have been busy since the machine began, whoever kept them so, in microseconds.
pub(crate) fn machine_micros() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat").context("/proc/stat")?;
    let all = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = all.filter_map(|field| field.parse().ok()).collect();
    // User, nice and system, interrupts, and what was stolen; not idle (3) and waiting for the disk (4).
    let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|place| ticks.get(*place));
    Ok(busy.sum::<f64>() * TICK_MICROS)
}

/// What a process holds in memory, in bytes: `self` or a process's number.
pub(crate) fn resident_bytes(process: &str) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib = line.split_whitespace().next().unwrap_or_default();
    Ok(kib.parse::<f64>().with_context(|| format!("VmRSS in {path}"))? * 1024.0)
}

/// The file that a process runs.
pub(crate) fn program(process: &str) -> Result<std::path::PathBuf> {
    let link = Path::new("/proc").join(process).join("exe");
    std::fs::read_link(&link).with_context(|| link.display().to_string())
}
