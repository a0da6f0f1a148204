-- Executions that were accepted or have ended, in the order of when, behind a time and id.
-- $1 the time, $2 the id, $3 how many at most.
select id, workflow, state, at
from (
  select * from (
    select id, workflow, 'pending' as state, 0 as ended, created_at as at
    from executions
    where (created_at, id) > ($1, $2)
    order by created_at, id
    limit $3
  ) as accepted
  union all
  select * from (
    select id, workflow, state, 1 as ended, completed_at as at
    from executions
    where state = 'completed' and completed_at is not null and (completed_at, id) > ($1, $2)
    order by completed_at, id
    limit $3
  ) as completed
  union all
  select * from (
    select id, workflow, state, 1 as ended, completed_at as at
    from executions
    where state = 'failed' and completed_at is not null and (completed_at, id) > ($1, $2)
    order by completed_at, id
    limit $3
  ) as failed
  union all
  select * from (
    select id, workflow, state, 1 as ended, completed_at as at
    from executions
    where state = 'timed_out' and completed_at is not null and (completed_at, id) > ($1, $2)
    order by completed_at, id
    limit $3
  ) as timed_out
  union all
  select * from (
    select id, workflow, state, 1 as ended, completed_at as at
    from executions
    where state = 'cancelled' and completed_at is not null and (completed_at, id) > ($1, $2)
    order by completed_at, id
    limit $3
  ) as cancelled
) as changes
order by at, id, ended
limit $3
