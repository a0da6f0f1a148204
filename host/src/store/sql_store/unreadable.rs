//! Rows that make no sense: each costs the execution that it belongs to, and never its neighbours.

use tracing::{error, warn};

use super::SqlStore;
use super::additions::Additions;
use super::arrivals::bring;
use super::tasks::Taken;
use super::transaction::Transaction;
use crate::model::{ExecutionId, Failure, HostId, StepUsage};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::statements;
use crate::store::value::{Value, values};

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn block_execution(
        &self,
        host: HostId,
        execution: ExecutionId,
        why: &Failure,
    ) -> Result<()> {
        let mut transaction = self.begin(host).await?;
        block(&mut transaction, host, execution.into(), why).await?;
        Ok(transaction.commit().await?)
    }
}

/// What was read, or what is wrong with it. Every other fault is one of the whole transaction.
pub(super) fn apart<T>(read: Result<T, Fault>) -> Result<Result<T, Failure>, Fault> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(Fault::Store(error)) => match error.as_corrupt() {
            Some(failure) => Ok(Err(failure)),
            None => Err(error.into()),
        },
        Err(fault) => Err(fault),
    }
}

/// Blocks an execution of this host without reading it.
pub(super) async fn block<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    execution: Value,
    why: &Failure,
) -> Result<(), Fault> {
    warn!(cause = %why.message, "An execution cannot be read and is blocked");
    let failure = Value::secret_text("executions.failure", serde_json::to_string(why).ok());
    let values = values![execution, host, why.kind.as_str(), failure];
    transaction.execute(statements::BLOCK_UNREADABLE, values).await?;
    Ok(())
}

/// Settles the call that a task of this host stands for with this failure: its execution may be another host's, which alone
/// may block it. Where not even that can be read, the row stays, out of everybody's way.
pub(super) async fn settle_task<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    host: HostId,
    task: Value,
    why: Failure,
) -> Result<(), Fault> {
    let rows = transaction.fetch(statements::SET_TASK_ASIDE, values![task, host]).await?;
    let taken = rows.into_iter().next().map(Taken::read).transpose();
    match apart(taken.map_err(Fault::from))? {
        Ok(Some(taken)) => settle(transaction, &taken, why).await,
        Ok(None) => Ok(()),
        Err(_as_unreadable) => {
            error!(cause = %why.message, "A task cannot be read and is left as it is; mend or delete its row");
            Ok(())
        }
    }
}

async fn settle<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    taken: &Taken,
    why: Failure,
) -> Result<(), Fault> {
    warn!(execution.id = %taken.execution, cause = %why.message, "A task cannot be read: its call has failed");
    let mut additions = Additions::new(transaction.now);
    let arrival = taken.settled(Err(why), StepUsage::default(), 0);
    let brought = bring(transaction, taken.execution, &arrival, &mut additions).await;
    if apart(brought)?.is_err() {
        error!(execution.id = %taken.execution, "Neither can its execution: the row of the task is left as it is");
        return Ok(());
    }
    let gone = values![taken.execution, taken.run, taken.promise];
    transaction.fetch_many(statements::DROP_TASKS, [gone].into_iter().collect()).await?;
    additions.write(transaction).await
}
