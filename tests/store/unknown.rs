//! Commits whose outcome nobody was told: when the store answers, what is there can be read.

use std::time::Duration;

use stepwell::model::Seq;
use stepwell::store::{Append, StoreError, Write};
use stepwell_test_servers::postgres::Postgres;
use stepwell_test_servers::proxy::{Cut, Proxy};
use tokio::time::timeout;

use crate::database::Database;
use crate::words::{call, execution, signal, start, write};

/// A host whose line to the database can be hurt.
struct Stage {
    proxy: Proxy,
    db: Database,
}

impl Stage {
    async fn set() -> Self {
        let server = Postgres::shared().await;
        let proxy = Proxy::before(server);
        let db = Database::at(&proxy.url(&server.fresh_database().await)).await;
        Self { proxy, db }
    }

    async fn entries(&self, number: u8) -> usize {
        let id = execution(number).id;
        self.db.store.journal(id, Seq(0), 100).await.unwrap().entries.len()
    }

    async fn commit(&self, write: Write) -> Result<(), StoreError> {
        self.db.store.commit(self.db.host, &[write]).await.map(|_written| ())
    }
}

fn is_unknown<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unknown(_)))
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_what_was_written_is_there() {
    let stage = Stage::set().await;
    let id = stage.db.born(1).await;

    // The commonest commit is one statement, the other has a word of its own.
    stage.proxy.lose_next_replies(1);
    let append = write(Append { entries: vec![call(2, 0)], ..stage.db.append(id) });
    assert!(is_unknown(&stage.commit(append).await));
    stage.proxy.lose_next_replies(1);
    assert!(is_unknown(&stage.commit(start(execution(2))).await));

    assert_eq!(stage.proxy.lost().replies, 2);
    assert_eq!((stage.entries(1).await, stage.entries(2).await), (2, 1));
}

#[tokio::test]
async fn a_lost_request_is_unknown_and_nothing_is_there() {
    let stage = Stage::set().await;
    let id = stage.db.born(1).await;

    stage.proxy.lose_next_requests(1);
    let append = write(Append { entries: vec![call(2, 0)], ..stage.db.append(id) });
    assert!(is_unknown(&stage.commit(append).await));
    stage.proxy.lose_next_requests(1);
    assert!(is_unknown(&stage.commit(start(execution(2))).await));

    assert_eq!(stage.proxy.lost().requests, 2);
    assert_eq!((stage.entries(1).await, stage.entries(2).await), (1, 0));
}

#[tokio::test]
async fn claims_and_deliveries_have_the_same_doubt() {
    let stage = Stage::set().await;
    stage.db.commit(vec![start(execution(1))]).await;
    let (store, host) = (&stage.db.store, stage.db.host);

    stage.proxy.lose_next_replies(1);
    let filter = crate::database::everything();
    assert!(is_unknown(&store.claim_executions(host, &filter, 1).await));
    stage.proxy.lose_next_replies(1);
    assert!(is_unknown(&store.deliver(host, execution(1).id, &signal("1")).await));

    assert_eq!(store.owned(host).await.unwrap().0, [execution(1).id]);
    assert_eq!(store.inbox(host, execution(1).id).await.unwrap().unwrap().arrivals.len(), 1);
}

/// Nobody may read what is there while the database might still make the commit.
#[tokio::test]
async fn the_answer_comes_when_the_old_transaction_has_ended() {
    let stage = Stage::set().await;
    let id = stage.db.born(1).await;
    let append = write(Append { entries: vec![call(2, 0)], ..stage.db.append(id) });

    stage.proxy.cut(Cut::Sever).await;
    let committing = stage.commit(append);
    let mut committing = std::pin::pin!(committing);
    let early = timeout(Duration::from_millis(500), &mut committing).await;
    stage.proxy.heal().await;

    // Either it could not even be sent, or its answer waited for the database.
    match early {
        Ok(told) => assert!(matches!(told, Err(StoreError::Unavailable(_)))),
        Err(_waits) => assert!(committing.await.is_err()),
    }
    assert_eq!(stage.entries(1).await, 1);
}
