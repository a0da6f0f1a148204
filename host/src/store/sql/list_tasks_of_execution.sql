-- Tasks of one execution, the oldest first.
-- $1 in which queue, $2 of which step, $3 of which execution, $4 1 for those that run and 0 for those that wait; each null for
-- all. $5 and $6 only those after this time and id, $7 how many at most.
select
  tasks.id, tasks.execution_id, tasks.run, tasks.promise, tasks.step, executions.workflow, tasks.queue, tasks.tags,
  tasks.priority, tasks.attempt, tasks.losses, tasks.created_at, tasks.visible_at, tasks.ready, tasks.owner,
  tasks.started_at, tasks.schedule_by, tasks.last_failure, tasks.step_limit, tasks.key_limit, tasks.blocked_on,
  executions.paused_at,
  case when tasks.follows is not null then (select task_id from results where results.key = tasks.follows) end as leader,
  case when tasks.follows is not null then 1 else 0 end as follows
from tasks
join executions on executions.id = tasks.execution_id
where tasks.execution_id = $3
  and (tasks.queue = $1 or $1 is null)
  and (tasks.step = $2 or $2 is null)
  and (cast($4 as bigint) is null or (tasks.owner is not null) = (cast($4 as bigint) = 1))
  and (tasks.created_at, tasks.id) > ($5, $6)
order by tasks.created_at, tasks.id
limit $7
