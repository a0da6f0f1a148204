//! Looking at a database without changing anything in it, and without taking it from whoever works on it.

use std::path::Path;

use super::error::OpenError;
use super::migrations::MIGRATIONS;
use super::postgres::PostgresOptions;
use super::{postgres, sqlite};
use crate::model::Timestamp;

/// What was seen.
#[derive(Debug, Clone)]
pub struct Examination {
    /// What it calls itself: name and version.
    pub server: String,
    /// Every migration of this binary, and those of a newer one that it has.
    pub steps: Vec<Step>,
    /// What it takes of a disk.
    pub bytes: u64,
    /// What its clock shows.
    pub clock: Timestamp,
    /// How long it took to answer, in seconds.
    pub answered_in: f64,
    /// How many connections there are, and may be; none where nobody counts them.
    pub connections: Option<(u64, u64)>,
    /// Whether there is or was a key that it asks for.
    pub has_keys: bool,
}

/// A migration, and whether a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub name: String,
    /// When it was done; none where it is pending.
    pub applied_at: Option<Timestamp>,
}

/// Looks at a file. None where there is none yet.
pub async fn examine_file(path: &Path) -> Result<Option<Examination>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let mut seen = sqlite::examine(path).await?;
    seen.steps = steps(seen.steps);
    Ok(Some(seen))
}

/// Looks at a Postgres.
pub async fn examine_postgres(url: &str) -> Result<Examination, OpenError> {
    let mut seen = postgres::examine(url, &PostgresOptions::default()).await?;
    seen.steps = steps(seen.steps);
    Ok(seen)
}

/// Every migration of this binary, as a database has them that has nothing yet.
pub fn all_pending() -> Vec<Step> {
    steps(Vec::new())
}

fn steps(applied: Vec<Step>) -> Vec<Step> {
    let is_there = |version: i64| applied.iter().any(|step| step.version == version);
    let pending = MIGRATIONS.iter().filter(|migration| !is_there(migration.version));
    let pending = pending.map(|migration| Step {
        version: migration.version,
        name: migration.name.to_owned(),
        applied_at: None,
    });
    let mut steps: Vec<Step> = pending.collect();
    steps.extend(applied);
    steps.sort_by_key(|step| step.version);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;
    use crate::store::{NEWEST, SqlStore, SqliteOptions};

    #[test]
    fn what_a_database_has_is_told_beside_what_it_lacks() {
        let has = |version: i64| Step {
            version,
            name: format!("n{version}"),
            applied_at: Some(Timestamp::default()),
        };

        let steps = steps(vec![has(1), has(NEWEST + 1)]);

        let applied = steps.iter().filter(|step| step.applied_at.is_some());
        let applied: Vec<_> = applied.map(|step| step.version).collect();
        assert_eq!(applied, [1, NEWEST + 1]);
        assert_eq!(steps.len(), MIGRATIONS.len() + 1);
        assert!(steps.is_sorted_by_key(|step| step.version));
    }

    #[tokio::test]
    async fn a_file_is_looked_at_while_somebody_works_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        assert!(examine_file(&path).await.unwrap().is_none());
        assert!(!path.exists());
        let options = SqliteOptions::default();
        let store = SqlStore::open(&path, &options, &Limits::for_cores(1)).await.unwrap();

        let seen = examine_file(&path).await.unwrap().unwrap();

        assert!(seen.steps.iter().all(|step| step.applied_at.is_some()), "{seen:?}");
        assert!(seen.server.starts_with("SQLite 3."), "{seen:?}");
        assert!(seen.bytes > 0);
        store.close().await;
    }

    #[tokio::test]
    async fn what_is_no_database_of_ours_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        std::fs::write(&path, "something else altogether, and long enough").unwrap();

        let refused = examine_file(&path).await.unwrap_err();

        assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    }
}
