//! Which module has a workflow: the active modules, remembered for a second.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::{Dispatch, DispatchError, ModuleRef, ModuleRow, Result};
use crate::model::{ModuleDigest, Name};

/// After this long the store is asked again, so a deploy on another host is seen.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// The fewest digits by which a digest may be named.
const DIGITS_MIN: usize = 8;
/// How many names of modules a host knows.
pub(super) const DEPLOYMENTS_MAX: u32 = 10_000;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    /// By the monotonic clock.
    read_at: Duration,
    table: Arc<Table>,
}

/// The active modules.
#[derive(Debug, Default)]
struct Table {
    by_workflow: HashMap<Name, Vec<Arc<ModuleRow>>>,
    by_name: HashMap<Name, Arc<ModuleRow>>,
    by_digest: HashMap<ModuleDigest, Arc<ModuleRow>>,
    /// The digests of all modules, active or not: read when one is named by its first digits.
    uploaded: OnceCell<Vec<ModuleDigest>>,
}

impl Table {
    fn of(rows: Vec<ModuleRow>) -> Self {
        let mut table = Self::default();
        for row in rows.into_iter().map(Arc::new) {
            for spec in &row.manifest.workflows {
                table.by_workflow.entry(spec.name.clone()).or_default().push(Arc::clone(&row));
            }
            table.by_digest.insert(row.digest, Arc::clone(&row));
            table.by_name.insert(row.name.clone(), row);
        }
        table
    }

    fn only_one_with(&self, workflow: &Name) -> Result<Arc<ModuleRow>> {
        match self.by_workflow.get(workflow).map(Vec::as_slice) {
            None | Some([]) => {
                Err(DispatchError::UnknownWorkflow { workflow: workflow.to_string() })
            }
            Some([one]) => Ok(Arc::clone(one)),
            Some(several) => Err(DispatchError::Ambiguous {
                workflow: workflow.clone(),
                modules: several.iter().map(|row| row.name.to_string()).collect(),
            }),
        }
    }
}

/// What active modules name, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The modules themselves.
    pub modules: Vec<Name>,
    /// Their workflows.
    pub workflows: Vec<Name>,
    /// The tags that those declare.
    pub tags: Vec<Name>,
}

impl Deployments {
    /// Has the next order read them again.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn fresh(&self, now: Duration) -> Option<Arc<Table>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        (now.saturating_sub(known.read_at) < FRESH_FOR).then(|| Arc::clone(&known.table))
    }

    fn remember(&self, read_at: Duration, table: &Arc<Table>) {
        let known = Known { read_at, table: Arc::clone(table) };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

impl Dispatch {
    /// The module that a start of a workflow is pinned to.
    pub(super) async fn choose(
        &self,
        workflow: &Name,
        module: Option<&ModuleRef>,
    ) -> Result<Arc<ModuleRow>> {
        let Some(named) = module else {
            return self.active().await?.only_one_with(workflow);
        };
        let row = self.named(named).await?;
        if row.manifest.workflow(workflow.as_str()).is_none() {
            let (workflow, module) = (workflow.to_string(), named.to_string());
            return Err(DispatchError::NotInModule { workflow, module });
        }
        Ok(row)
    }

    /// The active module of a name, or the one of a digest, or of its first digits, whether active or not.
    pub(super) async fn named(&self, module: &ModuleRef) -> Result<Arc<ModuleRow>> {
        let table = self.active().await?;
        let unknown = || DispatchError::UnknownModule(module.to_string());
        let digest = match module {
            ModuleRef::Name(name) => match table.by_name.get(name) {
                Some(row) => return Ok(Arc::clone(row)),
                None if begins_digest(name.as_str()) => {
                    self.only_one_of(&table, name.as_str()).await?
                }
                None => return Err(unknown()),
            },
            ModuleRef::Digest(digest) => *digest,
        };
        match table.by_digest.get(&digest) {
            Some(row) => Ok(Arc::clone(row)),
            None => self.store().module(digest).await?.map(Arc::new).ok_or_else(unknown),
        }
    }

    /// The digest that a text is, or that alone begins with it.
    pub async fn digest(&self, text: &str) -> Result<ModuleDigest> {
        if let Ok(whole) = text.parse() {
            return Ok(whole);
        }
        if begins_digest(text) {
            return self.only_one_of(&*self.active().await?, text).await;
        }
        let bounds = format!("64 hexadecimal digits, or the first {DIGITS_MIN} of them or more");
        Err(DispatchError::OutOfBounds { what: "digest", value: format!("{text:?}"), bounds })
    }

    async fn only_one_of(&self, table: &Table, digits: &str) -> Result<ModuleDigest> {
        let uploaded = table.uploaded.get_or_try_init(|| self.uploaded()).await?;
        only_one(uploaded, digits)
    }

    async fn uploaded(&self) -> Result<Vec<ModuleDigest>> {
        let rows = self.store().modules(DEPLOYMENTS_MAX).await?;
        Ok(rows.into_iter().map(|row| row.digest).collect())
    }

    /// What active modules name, so many of each kind at most.
    pub async fn names(&self, most: usize) -> Result<Names> {
        let table = self.active().await?;
        let specs = || table.by_name.values().flat_map(|row| &row.manifest.workflows);
        let tags: BTreeSet<_> = specs().flat_map(|spec| &spec.options.routing.tags).collect();
        let (modules, workflows) = (table.by_name.keys(), table.by_workflow.keys());
        let first = |names: BTreeSet<&Name>| names.into_iter().take(most).cloned().collect();
        Ok(Names {
            modules: first(modules.collect()),
            workflows: first(workflows.collect()),
            tags: first(tags),
        })
    }

    async fn active(&self) -> Result<Arc<Table>> {
        let now = self.parts.clock.monotonic();
        if let Some(table) = self.deployments.fresh(now) {
            return Ok(table);
        }
        let table = Arc::new(Table::of(self.store().deployments(DEPLOYMENTS_MAX).await?));
        self.deployments.remember(now, &table);
        Ok(table)
    }
}

/// Whether a text may be the first digits of a digest.
fn begins_digest(text: &str) -> bool {
    (DIGITS_MIN..64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn only_one(digests: &[ModuleDigest], digits: &str) -> Result<ModuleDigest> {
    let sought = digits.to_ascii_lowercase();
    let mut found = digests.iter().filter(|digest| digest.to_string().starts_with(&sought));
    let Some(one) = found.next() else {
        return Err(DispatchError::UnknownModule(digits.to_owned()));
    };
    // One component may lie there under several names.
    if found.any(|other| other != one) {
        let bounds = "more of the digest: several begin so".to_owned();
        return Err(DispatchError::OutOfBounds { what: "module", value: digits.into(), bounds });
    }
    Ok(*one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> ModuleDigest {
        format!("{text:0<64}").parse().unwrap()
    }

    #[test]
    fn the_first_digits_name_a_module_if_no_other_begins_so() {
        let (one, two) = (digest("abcdef0123"), digest("abcdef0145"));
        let known = [one, two, one];

        assert_eq!(only_one(&known, "abcdef012").unwrap(), one);
        assert_eq!(only_one(&known, "ABCDEF014").unwrap(), two);
        assert!(matches!(only_one(&known, "abcdef01"), Err(DispatchError::OutOfBounds { .. })));
        assert!(matches!(only_one(&known, "12345678"), Err(DispatchError::UnknownModule(_))));
    }

    #[test]
    fn a_few_digits_are_no_digest() {
        assert!(begins_digest("0123abCD") && begins_digest(&"a".repeat(63)));
        for other in ["0123abc", "checkout", "0123abcg", &"a".repeat(64)] {
            assert!(!begins_digest(other), "{other}");
        }
    }
}
