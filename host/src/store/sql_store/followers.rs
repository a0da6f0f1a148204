//! Those who wait for the result of another call: told when it is there, or made to lead where nobody does any more.

use std::collections::{BTreeSet, HashMap};

use super::SqlStore;
use super::additions::Additions;
use super::limits;
use super::locks::{Standings, lock, write_back};
use super::results::{ANSWERED, read_result};
use super::standing::Standing;
use super::transaction::Transaction;
use crate::journal::Arrival;
use crate::model::{HostId, Name, Outcome, Promise, ResultKey, Run, StepUsage, TaskId, Wake};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::{Reading, Row};
use crate::store::statements;
use crate::store::value::{Rows, values};
use crate::store::view::Followed;

/// A result that others wait for and that nobody works at any more.
struct Awaited {
    key: ResultKey,
    leader: TaskId,
    /// Its leader went without an end.
    is_vacant: bool,
}

impl Awaited {
    fn read(row: Row) -> Result<Self> {
        let mut row = Reading::of("results", row);
        let (key, leader) = (row.result_key("key")?, row.task("task_id")?);
        Ok(Self { key, leader, is_vacant: row.text("state")? == "vacant" })
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn answer_waiting(&self, host: HostId, limit: u32) -> Result<Followed> {
        let awaited = self.read(statements::AWAITED_RESULTS, values![limit]).await?;
        let awaited = awaited.into_iter().map(Awaited::read).collect::<Result<Vec<_>>>()?;
        if awaited.is_empty() {
            return Ok(Followed::default());
        }
        let mut followed = self.answer_ended(host, &awaited, limit).await?;
        for vacant in awaited.iter().filter(|one| one.is_vacant) {
            if self.fill(host, vacant).await? {
                followed.count += 1;
                followed.wakes.push(Wake::Work { queue: Name::default_queue() });
            }
        }
        Ok(followed)
    }

    /// Executions are locked before their tasks, in the order of their ids: so those who wait are looked up first, without a
    /// lock, and only who is still there then is answered.
    async fn answer_ended(
        &self,
        host: HostId,
        awaited: &[Awaited],
        limit: u32,
    ) -> Result<Followed> {
        let (mut waiting, mut executions) = (Rows::default(), BTreeSet::new());
        for row in self.read(statements::FOLLOWERS, values![limit]).await? {
            let mut row = Reading::of("tasks", row);
            waiting.push(values![row.task("id")?]);
            executions.insert(row.execution("execution_id")?);
        }
        let mut transaction = self.begin(host).await?;
        let mut standings = lock(&mut transaction, executions).await?;
        let taken = transaction.fetch_many(statements::TAKE_FOLLOWERS, waiting).await?;
        let mut followed = Followed { count: taken.len(), wakes: Vec::new() };
        let mut additions = Additions::new(transaction.now);
        answer(&mut transaction, taken, &mut standings, &mut additions).await?;
        additions.write(&mut transaction).await?;
        write_back(&mut transaction, standings.values()).await?;
        // Whoever is locked and was not answered is told in vain, which costs a look.
        followed.wakes.extend(standings.values().filter_map(Standing::wake));
        let told = awaited.iter().map(|one| values![one.key, one.leader]).collect();
        transaction.run(vec![(statements::LEAVE_RESULTS, told)]).await?;
        transaction.commit().await?;
        Ok(followed)
    }

    /// Makes one of those who wait the leader, unless somebody was quicker.
    async fn fill(&self, host: HostId, vacant: &Awaited) -> Result<bool> {
        let mut transaction = self.begin(host).await?;
        let now = transaction.now;
        let promoted = transaction.fetch(statements::PROMOTE_FOLLOWER, values![vacant.key, now]);
        let Some(row) = promoted.await?.into_iter().next() else {
            transaction.leave().await?;
            return Ok(false);
        };
        let mut row = Reading::of("tasks", row);
        let task = row.task("id")?;
        let limits = [row.opt_text("step_limit")?, row.opt_text("key_limit")?];
        let values = values![vacant.key, vacant.leader, task, now];
        if transaction.execute(statements::TAKE_LEAD, values).await? == 0 {
            transaction.leave().await?;
            return Ok(false);
        }
        limits::open(&mut transaction, limits.into_iter().flatten().collect()).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Brings to each what was brought for its key.
async fn answer<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    taken: Vec<Row>,
    standings: &mut Standings,
    additions: &mut Additions<'_>,
) -> Result<(), Fault> {
    let mut settled = Vec::with_capacity(taken.len());
    for row in taken {
        let mut row = Reading::of("tasks", row);
        let key = row.result_key("follows")?;
        let execution = row.execution("execution_id")?;
        let (run, promise) = (Run(row.number("run")?), Promise(row.number("promise")?));
        settled.push((key, execution, run, promise));
    }
    let outcomes = outcomes(transaction, settled.iter().map(|(key, ..)| *key).collect()).await?;
    for (key, execution, run, promise) in settled {
        // Without an answer its row must stay, or the call would be lost.
        let outcome = outcomes.get(&key).cloned().ok_or_else(|| {
            Fault::Busy("a result went while those who wait for it were told".into())
        })?;
        let Some(standing) = standings.get_mut(&execution) else { continue };
        let usage = StepUsage::default();
        let arrival = Arrival::Settled { run, promise, outcome, usage, attempt: ANSWERED };
        if standing.receive(&arrival, additions.now) {
            additions.arrival(execution, &arrival);
        }
    }
    Ok(())
}

async fn outcomes<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    keys: BTreeSet<ResultKey>,
) -> Result<HashMap<ResultKey, Outcome>, Fault> {
    let keys: Rows = keys.into_iter().map(|key| values![key]).collect();
    let rows = transaction.fetch_many(statements::READ_OUTCOMES, keys).await?;
    let read = rows.into_iter().map(|row| read_result(row).map(|(key, outcome, _)| (key, outcome)));
    Ok(read.collect::<Result<_, _>>()?)
}
