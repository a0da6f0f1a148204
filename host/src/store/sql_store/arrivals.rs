//! What comes to an execution from outside.

use super::SqlStore;
use super::additions::Additions;
use super::limits;
use super::locks::{lock_one, write_back};
use super::transaction::Transaction;
use crate::journal::{Arrival, encode_arrival};
use crate::model::{ExecutionId, HostId, Timestamp};
use crate::store::Result;
use crate::store::dialect::{Dialect, Fault};
use crate::store::row::Reading;
use crate::store::statements;
use crate::store::value::values;
use crate::store::view::Delivered;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn deliver_arrival(
        &self,
        host: HostId,
        execution: ExecutionId,
        arrival: &Arrival,
    ) -> Result<Delivered> {
        let mut transaction = self.begin(host).await?;
        if self.is_full(&mut transaction, execution, arrival).await? {
            transaction.leave().await?;
            return Ok(Delivered::Full);
        }
        let mut additions = Additions::new(transaction.now);
        let delivered = bring(&mut transaction, execution, arrival, &mut additions).await?;
        if matches!(delivered, Delivered::To { .. }) {
            additions.write(&mut transaction).await?;
            transaction.commit().await?;
        } else {
            transaction.leave().await?;
        }
        Ok(delivered)
    }

    /// Whether an inbox holds as many signals as it may.
    async fn is_full(
        &self,
        transaction: &mut Transaction<'_, D>,
        execution: ExecutionId,
        arrival: &Arrival,
    ) -> Result<bool, Fault> {
        if !matches!(arrival, Arrival::Signal { .. }) {
            return Ok(false);
        }
        let values = values![execution, encode_arrival(arrival).kind];
        let rows = transaction.fetch(statements::COUNT_INBOX, values).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        let waiting: usize = Reading::of("inbox", row).number("count")?;
        Ok(waiting >= self.signals_max)
    }

    pub(super) async fn pause_execution(
        &self,
        host: HostId,
        execution: ExecutionId,
        paused: Option<Timestamp>,
    ) -> Result<Delivered> {
        let mut transaction = self.begin(host).await?;
        let Some(mut standing) = lock_one(&mut transaction, execution).await? else {
            transaction.leave().await?;
            return Ok(Delivered::Missing);
        };
        if standing.state.is_terminal() {
            transaction.leave().await?;
            return Ok(Delivered::Ended(standing.state));
        }
        match paused {
            Some(at) => standing.pause(at),
            None => standing.resume(transaction.now),
        }
        write_back(&mut transaction, [&standing]).await?;
        // Its tasks are counted among those that have gone past their limits only while they can be claimed.
        if standing.limited {
            let touched = limits::of_execution(&mut transaction, execution).await?;
            limits::open(&mut transaction, touched).await?;
        }
        transaction.commit().await?;
        Ok(Delivered::To { owner: standing.owner })
    }

    /// Where the host no longer owns it there is nothing to give up.
    pub(super) async fn free_execution(&self, host: HostId, execution: ExecutionId) -> Result<()> {
        let mut transaction = self.begin(host).await?;
        let standing = lock_one(&mut transaction, execution).await?;
        let Some(mut standing) = standing.filter(|row| row.is_owned_by(host)) else {
            // Its lock goes with it, and not some time after.
            return Ok(transaction.leave().await?);
        };
        standing.release(transaction.now);
        write_back(&mut transaction, [&standing]).await?;
        Ok(transaction.commit().await?)
    }
}

/// Tells an execution of an arrival under its lock, and adds the arrival where it has not ended.
pub(super) async fn bring<D: Dialect>(
    transaction: &mut Transaction<'_, D>,
    execution: ExecutionId,
    arrival: &Arrival,
    additions: &mut Additions<'_>,
) -> Result<Delivered, Fault> {
    let Some(mut standing) = lock_one(transaction, execution).await? else {
        return Ok(Delivered::Missing);
    };
    if !standing.receive(arrival, transaction.now) {
        return Ok(Delivered::Ended(standing.state));
    }
    if matches!(arrival, Arrival::Cancel { force: true, .. }) {
        // It may be in a queue that nobody takes anything from.
        transaction.host.into_iter().for_each(|host| standing.take(host));
    }
    additions.arrival(execution, arrival);
    write_back(transaction, [&standing]).await?;
    Ok(Delivered::To { owner: standing.owner })
}
