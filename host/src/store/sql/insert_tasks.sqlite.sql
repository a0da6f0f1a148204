-- Adds calls that wait in a queue, or that their owner runs already.
-- The values of a row: id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank,
-- ready, visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
-- started_at, step_limit, key_limit, blocked_on.
insert into tasks (
  id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank, ready,
  visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
  started_at, step_limit, key_limit, blocked_on
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
