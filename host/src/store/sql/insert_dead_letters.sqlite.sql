-- Keeps steps whose attempts ran out.
-- The values of a row: execution_id, run, promise, step, input_seq, input_index, attempts, failure, created_at,
-- queue, failure_kind.
insert into dead_letters (
  execution_id, run, promise, step, input_seq, input_index, attempts, failure, created_at,
  queue, failure_kind
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
