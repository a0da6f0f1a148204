//! The steps that bring a database to the schema of this binary, forward only.

/// One step. Its number and name are the same for both databases.
#[derive(Debug)]
pub(super) struct Migration {
    /// From 1 without gaps.
    pub(super) version: i64,
    /// What it does.
    pub(super) name: &'static str,
    /// For SQLite.
    pub(super) sqlite: &'static str,
    /// For Postgres.
    pub(super) postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $file:literal) => {
        Migration {
            version: $version,
            name: $file,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $file, ".sql")),
        }
    };
}

/// All of them, in order.
pub(super) const MIGRATIONS: [Migration; 7] = [
    migration!(1, "0001_the_store"),
    migration!(2, "0002_suspects"),
    migration!(3, "0003_many_hosts"),
    migration!(4, "0004_what_workflows_need"),
    migration!(5, "0005_what_people_look_for"),
    migration!(6, "0006_traces_and_sealing"),
    migration!(7, "0007_attempts"),
];

/// The schema this binary knows.
pub const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Schema n serves binaries n and n - 1: a binary knows what it finds in the next one, because a migration only adds.
pub(super) const fn is_served(found: i64) -> bool {
    found <= NEWEST + 1
}
