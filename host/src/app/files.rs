//! How many files this process may have open, connections among them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

/// What a host opens besides its connections: the database, modules, what steps reach for.
const OTHER_FILES: u64 = 512;

/// Takes as many open files as the system allows, and returns how many of `wanted` connections there is room for.
pub(super) fn room_for(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            warn!(cause = %error, "The bound of open files cannot be raised");
            limit.current
        }
    };
    let room = files.map_or(wanted, |files| connections(files, wanted));
    if room < wanted {
        warn!(
            files,
            "The system allows for {room} connections at once, not for {wanted} (connections_max): raise the bound of open \
             files (`ulimit -n`, LimitNOFILE= of systemd) to {} or more",
            wanted as u64 + OTHER_FILES
        );
    } else {
        info!(files, "At most {room} connections are open at once");
    }
    room
}

/// The others come first, but half is for connections, however few there may be.
fn connections(files: u64, wanted: usize) -> usize {
    let room = files.saturating_sub(OTHER_FILES).max(files / 2).max(1);
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(connections(1_048_576, 10_000), 10_000);
        assert_eq!(connections(4_096, 10_000), 4_096 - 512);
        assert_eq!(connections(600, 10_000), 300);
        assert_eq!(connections(0, 10_000), 1);
    }
}
