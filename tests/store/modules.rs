//! Modules and deployments.

use stepwell::model::{Capabilities, Grant, Manifest, ModuleDigest, Timestamp};
use stepwell::store::StoreError;

use crate::database::Database;
use crate::words::name;

fn manifest() -> Manifest {
    Manifest::read(r#"{"manifest":1,"steps":[{"name":"charge"}]}"#).unwrap()
}

fn http(targets: &[&str]) -> Capabilities {
    let http = targets.iter().map(|target| (*target).to_owned()).collect();
    Capabilities { http, ..Capabilities::default() }
}

impl Database {
    async fn granted(
        &self,
        module: &str,
        targets: &[&str],
        by: (&str, Option<Timestamp>),
    ) -> Option<Grant> {
        self.store.put_grant(self.host, &name(module), &http(targets), by).await.unwrap()
    }
}

on_both_databases! {
    async fn a_module_is_kept_whole_and_active(db: Database) {
        let row = db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();

        assert_eq!((row.digest, row.size), (ModuleDigest::of(b"wasm"), 4));
        assert_eq!(row.manifest, manifest());
        assert!(row.activated_at.is_some());
        assert_eq!(db.store.wasm(row.digest).await.unwrap().unwrap(), b"wasm");
        assert_eq!(db.store.module(row.digest).await.unwrap().unwrap().name, name("shop"));
    }

    async fn the_same_module_again_changes_nothing(db: Database) {
        let first = db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();

        let again = db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();

        assert_eq!(again.created_at, first.created_at);
        assert_eq!(db.store.modules(10).await.unwrap().len(), 1);
    }

    async fn the_newest_is_active_until_an_older_is_chosen(db: Database) {
        let old = db.store.deploy(db.host, &name("shop"), &manifest(), b"old").await.unwrap();
        let new = db.store.deploy(db.host, &name("shop"), &manifest(), b"new").await.unwrap();
        let active = async || db.store.deployments(10).await.unwrap()[0].digest;
        assert_eq!(active().await, new.digest);
        assert_eq!(db.store.module(old.digest).await.unwrap().unwrap().activated_at, None);

        assert!(db.store.activate(db.host, &name("shop"), old.digest).await.unwrap());

        assert_eq!(active().await, old.digest);
        assert_eq!(db.store.modules(10).await.unwrap().len(), 2);
    }

    async fn only_a_module_of_that_name_is_activated(db: Database) {
        let shop = db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();

        assert!(!db.store.activate(db.host, &name("other"), shop.digest).await.unwrap());
        let unknown = ModuleDigest::of(b"unknown");
        assert!(!db.store.activate(db.host, &name("shop"), unknown).await.unwrap());

        assert_eq!(db.store.deployments(10).await.unwrap().len(), 1);
        assert!(db.store.module(unknown).await.unwrap().is_none());
        assert!(db.store.wasm(unknown).await.unwrap().is_none());
    }

    async fn a_list_has_each_name_under_which_a_module_is_active(db: Database) {
        db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();
        db.store.deploy(db.host, &name("store"), &manifest(), b"wasm").await.unwrap();

        let listed = db.store.modules(10).await.unwrap();

        let names: Vec<_> = listed.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["shop", "store"]);
        assert!(listed.iter().all(|row| row.activated_at.is_some()));
    }

    async fn one_module_may_have_two_names(db: Database) {
        db.store.deploy(db.host, &name("shop"), &manifest(), b"wasm").await.unwrap();

        let second = db.store.deploy(db.host, &name("store"), &manifest(), b"wasm").await.unwrap();

        assert_eq!(second.name, name("store"));
        let names: Vec<_> = db.store.deployments(10).await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(names, [name("shop"), name("store")]);
    }

    async fn a_grant_belongs_to_a_name_and_takes_the_place_of_the_one_before(db: Database) {
        assert_eq!(db.store.grant(&name("shop")).await.unwrap(), None);

        let first = db.granted("shop", &["a.b:443"], ("ada", None)).await.unwrap();
        assert_eq!((first.by.as_str(), &first.granted), ("ada", &http(&["a.b:443"])));
        db.granted("other", &["x.y:443"], ("bob", None)).await.unwrap();
        let second = db.granted("shop", &[], ("eve", Some(first.at))).await.unwrap();

        assert!(second.at > first.at);
        // Whoever has seen another, or none, has to look again.
        for seen_at in [None, Some(first.at)] {
            assert_eq!(db.granted("shop", &["c.d:443"], ("bob", seen_at)).await, None);
        }
        assert_eq!(db.store.grant(&name("shop")).await.unwrap(), Some(second));
        assert_eq!(db.store.grant(&name("other")).await.unwrap().unwrap().by, "bob");
    }

    async fn a_module_has_a_grant_for_each_of_its_names(db: Database) {
        let old = db.store.deploy(db.host, &name("shop"), &manifest(), b"old").await.unwrap();
        db.store.deploy(db.host, &name("shop"), &manifest(), b"new").await.unwrap();
        db.store.deploy(db.host, &name("store"), &manifest(), b"old").await.unwrap();
        let granted = db.granted("store", &["a.b:443"], ("ada", None)).await.unwrap();

        let grants = db.store.grants_of(old.digest).await.unwrap();

        assert_eq!(grants, [(name("shop"), None), (name("store"), Some(granted))]);
        assert_eq!(db.store.grants_of(ModuleDigest::of(b"unknown")).await.unwrap(), []);
    }

    async fn a_host_that_is_dead_grants_nothing(db: Database) {
        db.store.retire(db.host).await.unwrap();

        let refused = db.store.put_grant(db.host, &name("shop"), &http(&["a.b:443"]), ("ada", None)).await;

        assert!(matches!(refused, Err(StoreError::Fenced { .. })));
        assert_eq!(db.store.grant(&name("shop")).await.unwrap(), None);
    }
}
