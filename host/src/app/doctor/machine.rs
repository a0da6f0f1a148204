//! The machine: its disk, its memory, and what the system allows.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use super::{bytes, millis};
use crate::cli::Finding;
use crate::config::Config;
use crate::model::Stopwatch;

/// Less than this is soon full.
const DISK_LITTLE: u64 = 1 << 30;
/// Less than this is full: one module and its compiled form.
const DISK_NONE: u64 = 100 << 20;
/// How often a small file is written and synced.
const SYNCS: usize = 8;
/// A disk that takes longer makes every commit slow.
const SLOW_SYNC_SECONDS: f64 = 0.01;
/// Connections, files and pipes of a busy host.
const FILES_ENOUGH: u64 = 4_096;
const FILES_FEW: u64 = 256;
/// Hot guests, and the compiling of large modules.
const MEMORY_ENOUGH: u64 = 512 << 20;
/// Mappings of the memory of guests, of which 2,000 may be hot.
const MAPPINGS_ENOUGH: u64 = 65_530;

/// The disk below the folder of the data.
pub(super) fn disk(config: &Config) -> Vec<Finding> {
    let Some(folder) = nearest(&config.data) else {
        return vec![Finding::fail(
            "disk",
            "the folder of --data has no parent",
            "give another --data",
        )];
    };
    let shown = folder.display();
    let mut findings = Vec::new();
    if let Ok(seen) = statvfs(&folder) {
        let free = seen.f_bavail.saturating_mul(seen.f_frsize);
        let told = format!("{} free at {shown}", bytes(free));
        findings.push(match free {
            0..DISK_NONE => Finding::fail("disk", told, "free some space, or give another --data"),
            DISK_NONE..DISK_LITTLE => Finding::warn(
                "disk",
                told,
                "free some space; `stepwell cleanup` removes what has ended for long",
            ),
            _ => Finding::ok("disk", told),
        });
    }
    findings.push(match sync_seconds(&folder) {
        Err(error) => Finding::fail(
            "fsync",
            format!("nothing can be written to {shown}: {error}"),
            "let this user write there, or give another --data",
        ),
        Ok(took) if took < SLOW_SYNC_SECONDS => {
            Finding::ok("fsync", format!("{} at {shown}", millis(took)))
        }
        Ok(took) => Finding::warn(
            "fsync",
            format!("{} at {shown}", millis(took)),
            "each commit to a file waits for it: have --data on a local SSD",
        ),
    });
    findings
}

/// The folder, or the nearest one above it that is there.
fn nearest(data: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(data).ok()?;
    absolute.ancestors().find(|folder| folder.is_dir()).map(Path::to_path_buf)
}

/// How long a small write takes to be safe: the middle one of several.
fn sync_seconds(folder: &Path) -> io::Result<f64> {
    let path = folder.join(format!(".stepwell-doctor-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let mut sync = || {
        let stopwatch = Stopwatch::start();
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        Ok(stopwatch.seconds())
    };
    let took: io::Result<Vec<f64>> = (0..SYNCS).map(|_| sync()).collect();
    std::fs::remove_file(&path)?;
    let mut took = took?;
    took.sort_by(f64::total_cmp);
    Ok(took[SYNCS / 2])
}

/// What the system allows.
pub(super) fn limits(config: &Config) -> Vec<Finding> {
    let mut findings = vec![open_files(), cores(config)];
    findings.extend(memory());
    findings.extend(mappings());
    findings
}

fn open_files() -> Finding {
    let what = "open files";
    let Some(most) = getrlimit(Resource::Nofile).current else {
        return Finding::ok(what, "as many as there may be");
    };
    let told = format!("{most} at most");
    let advice = "raise it: `ulimit -n 65536`, or LimitNOFILE=65536 in the unit of systemd";
    match most {
        0..FILES_FEW => Finding::fail(what, told, advice),
        FILES_FEW..FILES_ENOUGH => Finding::warn(what, told, advice),
        _ => Finding::ok(what, told),
    }
}

fn cores(config: &Config) -> Finding {
    let cores = config.cores;
    let told = format!("{cores}, {} steps at once", config.limits.max_concurrency);
    if cores > 1 {
        return Finding::ok("cores", told);
    }
    Finding::warn("cores", told, "give it two: the compiling of a module delays everything else")
}

fn memory() -> Option<Finding> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let free = kib_of(&text, "MemAvailable:")?.saturating_mul(1_024);
    let cap = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let cap = cap.and_then(|text| text.trim().parse::<u64>().ok());
    let (room, told) = match cap {
        Some(cap) => {
            (free.min(cap), format!("{} available, capped at {}", bytes(free), bytes(cap)))
        }
        None => (free, format!("{} available", bytes(free))),
    };
    Some(if room >= MEMORY_ENOUGH {
        Finding::ok("memory", told)
    } else {
        Finding::warn("memory", told, "give it 512 MiB, or lower --hot-max and --max-concurrency")
    })
}

fn kib_of(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn mappings() -> Option<Finding> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let most: u64 = text.trim().parse().ok()?;
    let told = format!("{most} at most");
    Some(if most >= MAPPINGS_ENOUGH {
        Finding::ok("mappings", told)
    } else {
        let advice = "sysctl vm.max_map_count=65530, or lower --hot-max";
        Finding::warn("mappings", told, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_from_what_the_kernel_writes() {
        let text = "MemTotal:       16000 kB\nMemAvailable:   12345 kB\n";

        assert_eq!(kib_of(text, "MemAvailable:"), Some(12_345));
        assert_eq!(kib_of(text, "SwapFree:"), None);
    }

    #[test]
    fn nothing_is_left_of_the_look_at_a_disk() {
        let folder = tempfile::tempdir().unwrap();

        let took = sync_seconds(folder.path()).unwrap();

        assert!(took > 0.0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
