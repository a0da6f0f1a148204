-- Executions in one queue, newest first.
-- $1 in which state, $2 of which workflow, $3 in which queue, $4 of which parent, $5 of which module, $6 failed with which kind,
-- $7 with which tag; each null for all. $8 and $12 none from before this time and id, $9 and $10 only those before this time and id,
-- $11 how many at most.
select
  executions.id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, executions.created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank, traceparent
from executions
where queue = $3
  and (state = $1 or $1 is null)
  and (workflow = $2 or $2 is null)
  and (parent_id = $4 or $4 is null)
  and (module_digest = $5 or $5 is null)
  and (failure_kind = $6 or $6 is null)
  and ($7 is null or exists (
    select 1
    from execution_tags
    where execution_tags.tag = $7
      and execution_tags.created_at = executions.created_at
      and execution_tags.execution_id = executions.id
  ))
  and (executions.created_at, executions.id) >= ($8, $12)
  and (executions.created_at, executions.id) < ($9, $10)
order by executions.created_at desc, executions.id desc
limit $11
