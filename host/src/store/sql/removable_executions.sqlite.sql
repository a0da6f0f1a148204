-- The next executions that have ended for long, and whether nobody needs them any more: none of its children is under way, and no
-- parent can ask for it again, because it is gone or has continued as new since.
-- $1 the state, $2 before when they must have ended, $3 and $4 behind which end and id, $5 how many at most.
select
  old.id, old.completed_at,
  (
    not exists (
      select 1
      from executions as child
      where child.parent_id = old.id
        and child.completed_at is null
    )
    and not exists (
      select 1
      from executions as parent
      left join journal as beginning on beginning.execution_id = parent.id and beginning.seq = parent.base
      where parent.id = old.parent_id
        and coalesce(beginning.run, 0) <= old.parent_run
    )
  ) as removable
from (
  select id, completed_at, parent_id, parent_run
  from executions
  where state = $1
    and completed_at < $2
    and (completed_at, id) > ($3, $4)
  order by completed_at, id
  limit $5
) as old
order by old.completed_at, old.id
