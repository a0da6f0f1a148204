//! Keys and the audit log.

use std::time::Duration;

use stepwell::model::{Key, KeyId, KeyKind, KeyScope, Role, Session, Timestamp};
use stepwell::store::{AuditDetail, NewAudit, NewKey, StoreError};

use crate::database::Database;
use crate::words::at;

fn key(number: u8, kind: KeyKind) -> NewKey {
    let key = Key::made_of(kind, [[number; 32], [9; 32]]);
    let session = match kind {
        KeyKind::Lasting => None,
        KeyKind::Session => {
            Some(Session { of: KeyId::environment(), ends_at: at(99), fingerprint: None })
        }
    };
    let scope = KeyScope { roles: vec![Role::Read], workflows: Vec::new(), session };
    NewKey { id: key.id().clone(), name: format!("key {number}"), hash: key.hash(), scope }
}

fn entry(number: i64) -> NewAudit {
    let detail = AuditDetail { by: "local".to_owned(), from: "::1".to_owned(), status: 200 };
    let key = (number % 2 == 0).then(KeyId::environment);
    let subject = format!("subject {number}");
    NewAudit { at: at(number), key, action: "queue.pause".to_owned(), subject, detail }
}

impl Database {
    async fn names(&self) -> Vec<String> {
        self.store.keys(10).await.unwrap().into_iter().map(|row| row.name).collect()
    }

    async fn subjects(&self, before: Option<i64>, limit: u32) -> Vec<String> {
        let page = self.store.audit(before, limit).await.unwrap();
        page.into_iter().map(|row| row.entry.subject).collect()
    }
}

on_both_databases! {
    async fn a_key_is_kept_as_it_was_made(db: Database) {
        assert!(!db.store.has_keys().await.unwrap());
        let new = key(1, KeyKind::Lasting);

        let created_at = db.store.add_key(db.host, &new).await.unwrap();

        let row = db.store.key(&new.id).await.unwrap().unwrap();
        assert!(db.store.has_keys().await.unwrap());
        assert!(new.hash.is(&row.hash));
        assert_eq!((row.id, row.name, row.scope), (new.id, new.name, new.scope));
        assert_eq!((row.created_at, row.last_used_at, row.revoked_at), (created_at, None, None));
    }

    async fn a_session_is_no_key_that_is_listed(db: Database) {
        let session = key(1, KeyKind::Session);
        db.store.add_key(db.host, &session).await.unwrap();

        assert!(!db.store.has_keys().await.unwrap());
        assert!(db.names().await.is_empty());
        assert_eq!(db.store.key(&session.id).await.unwrap().unwrap().scope, session.scope);
    }

    async fn keys_are_listed_newest_first(db: Database) {
        for number in 1..=3 {
            db.store.add_key(db.host, &key(number, KeyKind::Lasting)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }

        assert_eq!(db.names().await, ["key 3", "key 2", "key 1"]);
        assert_eq!(db.store.keys(2).await.unwrap().len(), 2);
    }

    async fn a_key_is_revoked_once(db: Database) {
        let new = key(1, KeyKind::Lasting);
        db.store.add_key(db.host, &new).await.unwrap();

        assert!(db.store.revoke_key(db.host, &new.id).await.unwrap());
        let first = db.store.key(&new.id).await.unwrap().unwrap().revoked_at;
        assert!(first.is_some());
        assert!(db.store.revoke_key(db.host, &new.id).await.unwrap());
        assert_eq!(db.store.key(&new.id).await.unwrap().unwrap().revoked_at, first);
        assert!(!db.store.revoke_key(db.host, &key(2, KeyKind::Lasting).id).await.unwrap());
        // That there was one is remembered.
        assert!(db.store.has_keys().await.unwrap());
    }

    async fn a_use_is_remembered_by_the_minute(db: Database) {
        let new = key(1, KeyKind::Lasting);
        db.store.add_key(db.host, &new).await.unwrap();
        let used = async |at: Timestamp| {
            db.store.mark_used(db.host, &new.id, at).await.unwrap();
            db.store.key(&new.id).await.unwrap().unwrap().last_used_at.unwrap()
        };

        let first = at(1_000_000);
        assert_eq!(used(first).await, first);
        assert_eq!(used(first + Duration::from_secs(30)).await, first);
        let later = first + Duration::from_secs(90);
        assert_eq!(used(later).await, later);
    }

    async fn old_sessions_go_and_keys_stay(db: Database) {
        db.store.add_key(db.host, &key(1, KeyKind::Lasting)).await.unwrap();
        let made = db.store.add_key(db.host, &key(2, KeyKind::Session)).await.unwrap();

        assert_eq!(db.store.remove_sessions(db.host, made).await.unwrap(), 0);
        let later = made + Duration::from_secs(1);
        assert_eq!(db.store.remove_sessions(db.host, later).await.unwrap(), 1);
        assert!(db.store.key(&key(2, KeyKind::Session).id).await.unwrap().is_none());
        assert_eq!(db.names().await, ["key 1"]);
    }

    async fn entries_of_the_audit_log_come_back_newest_first(db: Database) {
        let entries: Vec<_> = (1..=3).map(entry).collect();
        db.store.write_audit(&entries[..2]).await.unwrap();
        db.store.write_audit(&entries[2..]).await.unwrap();

        let page = db.store.audit(None, 2).await.unwrap();

        let told: Vec<_> = page.iter().map(|row| row.entry.clone()).collect();
        assert_eq!(told, [entry(3), entry(2)]);
        assert_eq!(db.subjects(Some(page[1].id), 10).await, ["subject 1"]);
    }

    async fn a_thousand_entries_are_written_at_once(db: Database) {
        let entries: Vec<_> = (0..1_000).map(entry).collect();

        db.store.write_audit(&entries).await.unwrap();

        assert_eq!(db.store.audit(None, 1_000).await.unwrap().len(), 1_000);
    }

    async fn old_entries_go_in_batches(db: Database) {
        let entries: Vec<_> = (1..=5).map(entry).collect();
        db.store.write_audit(&entries).await.unwrap();

        assert_eq!(db.store.remove_audit(db.host, at(4), 2).await.unwrap(), 2);
        assert_eq!(db.store.remove_audit(db.host, at(4), 2).await.unwrap(), 1);
        assert_eq!(db.store.remove_audit(db.host, at(4), 2).await.unwrap(), 0);
        assert_eq!(db.subjects(None, 10).await, ["subject 5", "subject 4"]);
    }

    async fn a_host_that_is_fenced_changes_no_key(db: Database) {
        db.store.retire(db.host).await.unwrap();

        let refused = db.store.add_key(db.host, &key(1, KeyKind::Lasting)).await.unwrap_err();

        assert!(matches!(refused, StoreError::Fenced { .. }), "{refused:?}");
        assert!(!db.store.has_keys().await.unwrap());
        // What it did before is written down all the same.
        db.store.write_audit(&[entry(1)]).await.unwrap();
        assert_eq!(db.subjects(None, 10).await, ["subject 1"]);
    }
}
