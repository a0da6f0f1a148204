//! Keys: making, listing and revoking them, and recognising whoever shows one.
//!
//! A key that was recognised is remembered for [`REMEMBERED_FOR`], so that a request costs no reading; that is also how long a
//! revoked key may go on to be taken by a host other than the one that revoked it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::{Dispatch, DispatchError, Result};
use crate::model::{
    ChosenKey, Key, KeyId, KeyKind, KeyScope, Name, Role, SESSION_FOR, Session, Stopwatch,
    Timestamp,
};
use crate::store::{KeyRow, NewKey, StoreError};

/// How long a key is known that was read: of the 5 s that are promised, one is left for the way.
const REMEMBERED_FOR: Duration = Duration::from_secs(4);
/// The same while the database does not answer: it can tell of no revocation either.
const REMEMBERED_IN_NEED: Duration = Duration::from_mins(10);
/// Keys that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// How often the last use of a key is written.
const USED_EVERY: Duration = Duration::from_mins(1);
/// The longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Workflows that one key may be limited to.
const WORKFLOWS_MAX: usize = 100;

/// What is to be made.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The only workflows that it starts; empty means any.
    pub workflows: Vec<Name>,
}

impl KeyOrder {
    fn check(&self) -> Result<()> {
        let refuse = |what, value: String, bounds: &str| {
            Err(DispatchError::OutOfBounds { what, value, bounds: bounds.to_owned() })
        };
        let name = self.name.trim();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
            return refuse(
                "name",
                format!("{name:?}"),
                "1 to 128 bytes without control characters",
            );
        }
        if self.roles.is_empty() {
            return refuse(
                "roles",
                "[]".to_owned(),
                "one or more of read, start, operate, deploy, admin",
            );
        }
        if !self.workflows.is_empty() && self.roles != [Role::Start] {
            return refuse(
                "roles",
                roles_of(&self.roles),
                "start alone where workflows are named: the others are not limited by them",
            );
        }
        if self.workflows.len() > WORKFLOWS_MAX {
            return refuse("workflows", self.workflows.len().to_string(), "100 at most");
        }
        Ok(())
    }

    /// The key, and the row that is kept of it.
    pub(super) fn make(mut self, seeds: [[u8; 32]; 2]) -> Result<(Key, NewKey)> {
        self.check()?;
        self.roles.sort_unstable();
        self.roles.dedup();
        let key = Key::made_of(KeyKind::Lasting, seeds);
        let scope = KeyScope { roles: self.roles, workflows: self.workflows, session: None };
        let name = self.name.trim().to_owned();
        let row = NewKey { id: key.id().clone(), name, hash: key.hash(), scope };
        Ok((key, row))
    }
}

/// Whoever has shown a key that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key; of a session, the one it was opened with.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The only workflows that it starts; empty means any.
    pub workflows: Vec<Name>,
}

/// What this host knows of keys.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    /// Once there was a key, keys are asked for: revoking the last one opens no door.
    in_force: AtomicBool,
    asked: Mutex<Option<Stopwatch>>,
    remembered: Mutex<HashMap<KeyId, Remembered>>,
    environment: OnceLock<ChosenKey>,
    /// Counts those that were ordered here.
    revocations: AtomicU64,
}

#[derive(Debug, Clone)]
struct Remembered {
    row: Arc<KeyRow>,
    read: Stopwatch,
    used: Option<Stopwatch>,
}

impl Keyring {
    fn remembered(&self) -> MutexGuard<'_, HashMap<KeyId, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, id: &KeyId, within: Duration) -> Option<Arc<KeyRow>> {
        let remembered = self.remembered();
        let known = remembered.get(id).filter(|known| is_within(known.read, within))?;
        Some(Arc::clone(&known.row))
    }

    fn remember(&self, row: &Arc<KeyRow>) {
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX && !remembered.contains_key(&row.id) {
            remembered.clear();
        }
        let used = remembered.get(&row.id).and_then(|known| known.used);
        let known = Remembered { row: Arc::clone(row), read: Stopwatch::start(), used };
        remembered.insert(row.id.clone(), known);
    }

    fn forget(&self, id: &KeyId) {
        self.remembered().remove(id);
    }

    /// Whether its use is to be written now.
    fn is_use_due(&self, id: &KeyId) -> bool {
        let mut remembered = self.remembered();
        let Some(known) = remembered.get_mut(id) else { return false };
        let is_due = known.used.is_none_or(|used| !is_within(used, USED_EVERY));
        if is_due {
            known.used = Some(Stopwatch::start());
        }
        is_due
    }
}

fn roles_of(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

fn is_within(since: Stopwatch, long: Duration) -> bool {
    since.seconds() < long.as_secs_f64()
}

impl Dispatch {
    /// Takes this for an admin's key, beside those in the database.
    pub fn take_admin_key(&self, key: ChosenKey) {
        let _first = self.keyring.environment.set(key);
        self.keyring.in_force.store(true, Ordering::Relaxed);
    }

    /// Whether there is a key, or was one. A first one that another host has made is seen within [`REMEMBERED_FOR`].
    pub async fn has_keys(&self) -> Result<bool> {
        let keyring = &self.keyring;
        if keyring.in_force.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let asked = || keyring.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked().is_some_and(|asked| is_within(asked, REMEMBERED_FOR)) {
            return Ok(false);
        }
        let has_keys = self.store().has_keys().await?;
        *asked() = Some(Stopwatch::start());
        keyring.in_force.fetch_or(has_keys, Ordering::Relaxed);
        Ok(has_keys)
    }

    /// Makes a key. It is told here, and never again.
    pub async fn create_key(&self, order: KeyOrder) -> Result<(Key, KeyRow)> {
        let (key, new) = order.make([self.parts.ids.seed(), self.parts.ids.seed()])?;
        if !new.scope.roles.contains(&Role::Admin) && !self.has_keys().await? {
            return Err(DispatchError::OutOfBounds {
                what: "roles",
                value: roles_of(&new.scope.roles),
                bounds: "admin for the first key: from then on keys are asked for, and without \
                         an admin nobody could make the next"
                    .to_owned(),
            });
        }
        let created_at = self.store().add_key(self.host(), &new).await?;
        self.keyring.in_force.store(true, Ordering::Relaxed);
        let NewKey { id, name, hash, scope } = new;
        let hash = hash.as_bytes().to_vec();
        let row =
            KeyRow { id, name, hash, scope, created_at, last_used_at: None, revoked_at: None };
        Ok((key, row))
    }

    /// Keys, newest first, the revoked ones too.
    pub async fn keys(&self, limit: u32) -> Result<Vec<KeyRow>> {
        Ok(self.store().keys(self.page(limit)?).await?)
    }

    /// Revokes a key, and so all sessions that were opened with it.
    pub async fn revoke_key(&self, id: &KeyId) -> Result<()> {
        let was_there = self.store().revoke_key(self.host(), id).await?;
        self.keyring.revocations.fetch_add(1, Ordering::AcqRel);
        self.keyring.forget(id);
        if was_there { Ok(()) } else { Err(DispatchError::UnknownKey(id.clone())) }
    }

    /// Whose key this is. None: nobody's, or one that was revoked or has ended.
    pub async fn recognise(&self, text: &str) -> Result<Option<KeyHolder>> {
        if let Some(admin) = self.environment_admin(text) {
            return Ok(Some(admin));
        }
        let Ok(key) = text.parse::<Key>() else { return Ok(None) };
        let Some(row) = self.key_row(key.id()).await? else { return Ok(None) };
        if !key.hash().is(&row.hash) {
            return Ok(None);
        }
        self.holder(&row).await
    }

    /// The same for a key whose secret this host has read lately and knows to be right; of others nothing is said, so that
    /// nobody finds one by guessing.
    pub async fn recognise_again(&self, text: &str) -> Result<Option<KeyHolder>> {
        let is_right = |key: Key| {
            let row = self.keyring.recall(key.id(), REMEMBERED_IN_NEED);
            row.is_some_and(|row| key.hash().is(&row.hash))
        };
        let is_known = self.environment_admin(text).is_some() || text.parse().is_ok_and(is_right);
        if is_known { self.recognise(text).await } else { Ok(None) }
    }

    fn environment_admin(&self, text: &str) -> Option<KeyHolder> {
        self.keyring.environment.get()?.is(text).then(KeyHolder::environment)
    }

    /// That of the key of the environment.
    fn fingerprint(&self) -> Option<String> {
        self.keyring.environment.get().map(ChosenKey::fingerprint)
    }

    async fn holder(&self, row: &KeyRow) -> Result<Option<KeyHolder>> {
        let opened_with;
        let lasting = match &row.scope.session {
            _ if row.revoked_at.is_some() => return Ok(None),
            None => row,
            Some(session) if session.ends_at <= self.now() => return Ok(None),
            Some(session) if session.of == KeyId::environment() => {
                let is_the_same = self.fingerprint() == session.fingerprint;
                let is_there = session.fingerprint.is_some() && is_the_same;
                return Ok(is_there.then(KeyHolder::environment));
            }
            Some(session) => {
                let Some(of) = self.key_row(&session.of).await? else { return Ok(None) };
                opened_with = of;
                &opened_with
            }
        };
        if lasting.revoked_at.is_some() {
            return Ok(None);
        }
        self.mark_used(&lasting.id).await;
        Ok(Some(KeyHolder::of(lasting)))
    }

    async fn key_row(&self, id: &KeyId) -> Result<Option<Arc<KeyRow>>> {
        if let Some(row) = self.keyring.recall(id, REMEMBERED_FOR) {
            return Ok(Some(row));
        }
        let revocations = || self.keyring.revocations.load(Ordering::Acquire);
        let before = revocations();
        match self.store().key(id).await {
            Ok(Some(row)) => {
                let row = Arc::new(row);
                // It may have been read just before it was revoked.
                if revocations() == before {
                    self.keyring.remember(&row);
                }
                Ok(Some(row))
            }
            Ok(None) => {
                self.keyring.forget(id);
                Ok(None)
            }
            Err(error @ StoreError::Unavailable(_)) => {
                let known = self.keyring.recall(id, REMEMBERED_IN_NEED);
                known.map(Some).ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// That it is not known when a key was used turns nobody away.
    async fn mark_used(&self, id: &KeyId) {
        if !self.keyring.is_use_due(id) {
            return;
        }
        let now = self.now();
        if let Err(error) = self.store().mark_used(self.host(), id, now).await {
            tracing::debug!(error = %error, key = %id, "The use of a key could not be written");
        }
    }

    /// Opens a session for a browser whose user has shown this holder's key: what it is to show from now on, and until when.
    pub async fn open_session(&self, holder: &KeyHolder) -> Result<(Key, Timestamp)> {
        let seeds = [self.parts.ids.seed(), self.parts.ids.seed()];
        let key = Key::made_of(KeyKind::Session, seeds);
        let ends_at = self.now() + SESSION_FOR;
        let fingerprint = if holder.id == KeyId::environment() { self.fingerprint() } else { None };
        let session = Some(Session { of: holder.id.clone(), ends_at, fingerprint });
        let scope = KeyScope { roles: Vec::new(), workflows: Vec::new(), session };
        let name = "session".to_owned();
        let row = NewKey { id: key.id().clone(), name, hash: key.hash(), scope };
        self.store().add_key(self.host(), &row).await?;
        Ok((key, ends_at))
    }

    /// Ends the session whose key this is, where it is one.
    pub async fn end_session(&self, text: &str) -> Result<()> {
        let Ok(key) = text.parse::<Key>() else { return Ok(()) };
        let row = self.key_row(key.id()).await?;
        let is_one = row.is_some_and(|row| row.scope.session.is_some() && key.hash().is(&row.hash));
        if is_one {
            self.revoke_key(key.id()).await?;
        }
        Ok(())
    }
}

impl KeyHolder {
    fn of(row: &KeyRow) -> Self {
        let KeyScope { roles, workflows, session: _ } = row.scope.clone();
        Self { id: row.id.clone(), name: row.name.clone(), roles, workflows }
    }

    fn environment() -> Self {
        let id = KeyId::environment();
        let name = "STEPWELL_ADMIN_KEY".to_owned();
        Self { id, name, roles: vec![Role::Admin], workflows: Vec::new() }
    }
}
