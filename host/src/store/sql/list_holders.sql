-- The tasks that run under a limit, those that are being stopped among them, the one that has run the longest first.
-- $1 the limit, $2 how many at most.
select id, execution_id, step, started_at
from (
  select id, execution_id, step, started_at from tasks where step_limit = $1 and owner is not null
  union all
  select id, execution_id, step, started_at from tasks where key_limit = $1 and owner is not null
  union all
  select id, execution_id, step, started_at from stopping_tasks where step_limit = $1
  union all
  select id, execution_id, step, started_at from stopping_tasks where key_limit = $1
) as holders
order by started_at, id
limit $2
