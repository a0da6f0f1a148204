-- How many executions of a state would be removed. Whoever waits for a parent goes after it.
-- $1 the state, $2 before when they must have ended.
select count(*)
from executions
where executions.state = $1
  and executions.completed_at < $2
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
      and (parent.completed_at is null or parent.completed_at >= $2)
  )
