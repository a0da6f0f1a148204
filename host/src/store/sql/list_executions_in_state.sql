-- Executions in one state, newest first.
-- $1 of which workflow, $2 in which queue, $3 of which parent, $4 and $5 only those after this time and id; each null for all;
-- $6 how many at most, $7 the state.
select
  id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank, traceparent
from executions
where state = $7
  and (workflow = $1 or $1 is null)
  and (queue = $2 or $2 is null)
  and (parent_id = $3 or $3 is null)
  and ((created_at, id) < ($4, $5) or $4 is null)
order by created_at desc, id desc
limit $6
