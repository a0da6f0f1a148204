//! Lists of executions by several filters at once: whatever leads, the pages are those of the whole list.

use stepwell::model::{ExecutionId, ExecutionState, ModuleDigest, Routing};
use stepwell::store::{ExecutionFilter, ExecutionPage, ExecutionRow, NewExecution};

use crate::database::{Database, execution_id, limits};
use crate::words::{at, child_of, execution, name, start};

/// Executions of every kind. What they are of follows from their numbers, each in a rhythm of its own.
async fn crowd(db: &Database, size: u8) {
    let parent = db.born(0).await;
    let one = |number: u8| NewExecution {
        workflow: name(["pay", "ship"][usize::from(number % 2)]),
        module: ModuleDigest::from_bytes([number % 3; 32]),
        routing: Routing {
            queue: name(["slow", "fast", "gpu"][usize::from(number / 2 % 3)]),
            tags: if number % 5 < 3 { vec![name("eu")] } else { Vec::new() },
            ..Routing::default()
        },
        parent: number.is_multiple_of(4).then(|| child_of(parent, u32::from(number))),
        created_at: at(i64::from(number / 2)),
        ..execution(number)
    };
    db.commit((1..=size).map(|number| start(one(number))).collect()).await;
    db.spoil(
        "update executions set state = 'waiting' where created_at % 7 in (1, 2);
         update executions set state = 'completed' where created_at % 7 in (3, 4);
         update executions set state = 'failed', failure_kind = 'card' where created_at % 7 = 5",
    )
    .await;
}

async fn page(db: &Database, filter: &ExecutionFilter) -> ExecutionPage {
    db.store.executions(filter).await.unwrap()
}

/// The whole list, and how many pages it took.
async fn whole(db: &Database, filter: &ExecutionFilter) -> (Vec<ExecutionRow>, usize) {
    let (mut rows, mut filter, mut pages) = (Vec::new(), filter.clone(), 0);
    loop {
        let found = page(db, &filter).await;
        assert!(found.rows.len() <= filter.limit as usize);
        rows.extend(found.rows);
        pages += 1;
        filter.after = found.next;
        if found.next.is_none() {
            return (rows, pages);
        }
    }
}

fn ids(rows: &[ExecutionRow]) -> Vec<ExecutionId> {
    rows.iter().map(|row| row.id).collect()
}

/// Each filter by itself.
fn filters() -> Vec<ExecutionFilter> {
    let none = ExecutionFilter::default;
    vec![
        ExecutionFilter { state: Some(ExecutionState::Waiting), ..none() },
        ExecutionFilter { state: Some(ExecutionState::Completed), ..none() },
        ExecutionFilter { workflow: Some(name("pay")), ..none() },
        ExecutionFilter { queue: Some(name("gpu")), ..none() },
        ExecutionFilter { module: Some(ModuleDigest::from_bytes([1; 32])), ..none() },
        ExecutionFilter { tag: Some(name("eu")), ..none() },
        ExecutionFilter { parent: Some(execution_id(0)), ..none() },
        ExecutionFilter { failure_kind: Some("card".to_owned()), ..none() },
        ExecutionFilter { since: Some(at(9)), until: Some(at(25)), ..none() },
    ]
}

fn both(one: &ExecutionFilter, other: &ExecutionFilter) -> ExecutionFilter {
    ExecutionFilter {
        state: one.state.or(other.state),
        workflow: one.workflow.clone().or(other.workflow.clone()),
        queue: one.queue.clone().or(other.queue.clone()),
        parent: one.parent.or(other.parent),
        module: one.module.or(other.module),
        failure_kind: one.failure_kind.clone().or(other.failure_kind.clone()),
        tag: one.tag.clone().or(other.tag.clone()),
        since: one.since.or(other.since),
        until: one.until.or(other.until),
        ..ExecutionFilter::default()
    }
}

on_both_databases! {
    async fn pages_by_any_two_filters_are_what_both_have(db: Database) {
        crowd(&db, 70).await;
        let mut found = Vec::new();
        for filter in filters() {
            found.push((whole(&db, &ExecutionFilter { limit: 200, ..filter.clone() }).await.0, filter));
        }

        for (one, first) in &found {
            for (other, second) in &found {
                if matches!((first.state, second.state), (Some(a), Some(b)) if a != b) {
                    continue;
                }
                let filter = ExecutionFilter { limit: 3, ..both(first, second) };
                let (rows, _) = whole(&db, &filter).await;

                let other = ids(other);
                let expected: Vec<_> = ids(one).into_iter().filter(|id| other.contains(id)).collect();
                assert_eq!(ids(&rows), expected, "{filter:?}");
            }
        }
    }

    async fn a_workflow_and_a_state_that_never_meet_are_one_page(db: Database) {
        crowd(&db, 70).await;
        db.spoil("update executions set state = 'completed' where workflow = 'pay'").await;
        let filter = ExecutionFilter { state: Some(ExecutionState::Waiting), limit: 9, ..ExecutionFilter::default() };
        let none = [
            ExecutionFilter { workflow: Some(name("pay")), ..filter.clone() },
            ExecutionFilter { queue: Some(name("nobody")), ..filter.clone() },
            ExecutionFilter { module: Some(ModuleDigest::from_bytes([9; 32])), ..filter },
        ];

        for filter in none {
            let found = page(&db, &filter).await;

            assert!(found.rows.is_empty() && found.next.is_none(), "{filter:?}: {found:?}");
        }
    }

    async fn a_page_that_finds_little_ends_after_the_rows_that_it_may_read(db: Database) {
        crowd(&db, 70).await;
        db.spoil(
            "update executions set queue = 'slow' where workflow = 'pay';
             update executions set queue = 'gpu' where workflow = 'ship'",
        )
        .await;
        db.spoil("update executions set queue = 'gpu' where created_at = 1").await;
        let filter = ExecutionFilter {
            workflow: Some(name("pay")),
            queue: Some(name("gpu")),
            limit: 50,
            ..ExecutionFilter::default()
        };

        let first = page(&db, &filter).await;
        let (rows, pages) = whole(&db, &filter).await;

        assert!(first.rows.is_empty() && first.next.is_some());
        assert_eq!(ids(&rows), [execution_id(2)]);
        // Each page reads one row more, which ends it.
        let least = 35 / (limits().page_reads_max as usize + 1);
        assert!((least..=least + 1).contains(&pages), "{pages}");
    }

    async fn of_two_filters_the_one_that_ends_sooner_leads(db: Database) {
        crowd(&db, 70).await;
        db.spoil("update executions set queue = 'rare' where created_at in (1, 2)").await;
        let filter = ExecutionFilter {
            workflow: Some(name("pay")),
            queue: Some(name("rare")),
            limit: 50,
            ..ExecutionFilter::default()
        };

        let found = page(&db, &filter).await;

        assert_eq!(ids(&found.rows), [execution_id(4), execution_id(2)]);
        assert_eq!(found.next, None);
    }
}
