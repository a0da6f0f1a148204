-- A task that waits or runs.
-- $1 the task.
select
  tasks.id, tasks.execution_id, tasks.run, tasks.promise, tasks.step, executions.workflow, tasks.queue, tasks.tags,
  tasks.priority, tasks.attempt, tasks.losses, tasks.created_at, tasks.visible_at, tasks.ready, tasks.owner,
  tasks.started_at, tasks.schedule_by, tasks.last_failure, tasks.step_limit, tasks.key_limit, tasks.blocked_on,
  executions.paused_at,
  case when tasks.follows is not null then (select task_id from results where results.key = tasks.follows) end as leader,
  case when tasks.follows is not null then 1 else 0 end as follows
from tasks
join executions on executions.id = tasks.execution_id
where tasks.id = $1
