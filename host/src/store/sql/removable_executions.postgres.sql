-- Executions that have ended for long and that nobody needs any more: none of its children is under way, and no parent can
-- ask for it again, because it is gone or has continued as new since. What another host is at is left to it.
-- $1 the state, $2 before when they must have ended, $3 since when, $4 how many at most.
select executions.id, executions.completed_at
from executions
where executions.state = $1
  and executions.completed_at < $2
  and executions.completed_at >= $3
  and not exists (
    select 1
    from executions as child
    where child.parent_id = executions.id
      and child.completed_at is null
  )
  and not exists (
    select 1
    from executions as parent
    left join journal as beginning on beginning.execution_id = parent.id and beginning.seq = parent.base
    where parent.id = executions.parent_id
      and coalesce(beginning.run, 0) <= executions.parent_run
  )
order by executions.completed_at, executions.id
limit $4
for update of executions skip locked
