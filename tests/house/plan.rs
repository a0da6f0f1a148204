//! The plan of the house, as data: which room stands on which, and where each foreign crate lives.

/// Folder of the host's own sources.
pub(crate) const SOURCES: &str = "host/src/";

/// A room, and the rooms whose words it may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) may_import: &'static [&'static str],
}

/// From the bottom to the top.
pub(crate) const ROOMS: [Room; 9] = [
    Room { name: "model", may_import: &[] },
    Room { name: "journal", may_import: &["model"] },
    Room { name: "store", may_import: &["model", "journal"] },
    Room { name: "notify", may_import: &["model"] },
    Room { name: "sandbox", may_import: &["model", "journal"] },
    Room { name: "dispatch", may_import: &["model", "journal", "store", "notify", "sandbox"] },
    Room { name: "worker", may_import: &["model", "journal", "store", "notify", "sandbox"] },
    Room { name: "http", may_import: &["model", "dispatch"] },
    Room { name: "cli", may_import: &["model"] },
];

/// The files above the rooms, or folders of such, which may import any of them.
pub(crate) const ROOF: [&str; 5] = ["main", "lib", "app", "config", "telemetry"];

/// Names that say nothing, so nothing may be put under them.
pub(crate) const NAMELESS: [&str; 6] = ["utils", "util", "common", "types", "helpers", "prelude"];

/// A family of crates (`sqlx` and `sqlx_core` are one) and the places in `host/src` that may use it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foreign {
    pub(crate) family: &'static str,
    pub(crate) lives_in: &'static [&'static str],
}

/// Crates that are not named here (serde, thiserror, tracing, tokio and so on) may be used everywhere.
pub(crate) const FOREIGN: &[Foreign] = &[
    Foreign { family: "sqlx", lives_in: &["store"] },
    Foreign { family: "aes_gcm", lives_in: &["store/sealing"] },
    Foreign { family: "base64", lives_in: &["store/sealing"] },
    Foreign { family: "fred", lives_in: &["notify"] },
    Foreign { family: "croner", lives_in: &["model/schedule"] },
    Foreign { family: "minicbor", lives_in: &["journal"] },
    Foreign { family: "wasmtime", lives_in: &["sandbox"] },
    Foreign { family: "wasmparser", lives_in: &["sandbox"] },
    Foreign { family: "cap_std", lives_in: &["sandbox"] },
    Foreign { family: "axum", lives_in: &["http"] },
    // The description of the API is made from what it carries.
    Foreign { family: "utoipa", lives_in: &["http", "dispatch", "journal", "model"] },
    // In the client it is how a connection is asked for.
    Foreign { family: "tower", lives_in: &["http", "cli/client/line"] },
    // In `telemetry` it posts spans to their collector.
    Foreign {
        family: "hyper",
        lives_in: &["http", "cli/client", "sandbox/step/egress", "telemetry/post"],
    },
    Foreign { family: "maud", lives_in: &["http/web"] },
    Foreign { family: "rustc_demangle", lives_in: &["http/web"] },
    // With clap_complete.
    Foreign { family: "clap", lives_in: &["cli", "main", "config"] },
    Foreign { family: "comfy_table", lives_in: &["cli"] },
    Foreign { family: "crossterm", lives_in: &["cli/watch"] },
    Foreign { family: "ratatui", lives_in: &["cli/watch"] },
    Foreign { family: "notify_files", lives_in: &["app/dev"] },
    Foreign { family: "owo_colors", lives_in: &["cli"] },
    Foreign { family: "metrics_exporter_prometheus", lives_in: &ROOF },
    Foreign { family: "metrics_process", lives_in: &ROOF },
    Foreign { family: "tracing_subscriber", lives_in: &ROOF },
    Foreign { family: "tracing_opentelemetry", lives_in: &ROOF },
    Foreign { family: "opentelemetry", lives_in: &ROOF },
    Foreign { family: "anyhow", lives_in: &["cli", "main", "app", "config", "telemetry"] },
];

impl Foreign {
    /// The family that a crate's name belongs to, if it is one of those with a room.
    pub(crate) fn of(name: &str) -> Option<Self> {
        FOREIGN.iter().copied().find(|foreign| {
            name.strip_prefix(foreign.family)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    }

    /// Whether a file, named from `host/src` on, may use it.
    pub(crate) fn may_be_used_in(&self, file: &str) -> bool {
        self.lives_in.iter().any(|place| {
            file.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    }
}

/// The room of that name.
pub(crate) fn room(name: &str) -> Option<Room> {
    ROOMS.into_iter().find(|room| room.name == name)
}

/// The room that a file, named from `host/src` on, lies in; none for the roof.
pub(crate) fn room_of(file: &str) -> Option<&str> {
    file.split_once('/').map(|(folder, _)| folder)
}
