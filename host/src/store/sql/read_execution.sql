-- One execution.
-- $1 its id.
select
  id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank, traceparent
from executions
where id = $1
