-- Adds calls that wait in a queue, or that their owner runs already.
-- The values of a row: id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank,
-- ready, visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
-- started_at.
insert into tasks (
  id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank, ready,
  visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
  started_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
