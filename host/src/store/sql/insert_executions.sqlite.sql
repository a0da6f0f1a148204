-- Gives birth to executions. Those whose id exists already are left as they are and not given back.
-- The values of a row: id, run, module_digest, workflow, state, queue, tags, priority, parent_id, parent_run,
-- parent_promise, parent_detached, owner, ready, visible_at, rank, inbox_seq, base, losses, lost_at_seq,
-- journal_version, created_at, started_at, expires_at, max_duration, input_hash, traceparent.
insert into executions (
  id, run, module_digest, workflow, state, queue, tags, priority, parent_id, parent_run, parent_promise,
  parent_detached, owner, ready, visible_at, rank, inbox_seq, base, losses, lost_at_seq, journal_version,
  created_at, started_at, expires_at, max_duration, input_hash, traceparent
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (id) do nothing
returning id
