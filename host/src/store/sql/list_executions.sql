-- Executions of whatever state, newest first.
-- $1 of which workflow, $2 in which queue, $3 of which parent, $4 and $5 only those after this time and id; each null for all;
-- $6 how many at most.
select
  id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank
from executions
where ($1 is null or workflow = $1)
  and ($2 is null or queue = $2)
  and ($3 is null or parent_id = $3)
  and ($4 is null or (created_at, id) < ($4, $5))
order by created_at desc, id desc
limit $6
