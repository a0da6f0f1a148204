-- Limits that nothing refers to.
-- $1 now, $2 how many at most.
select name
from limits
where next_at is null
  and tat <= $1
  and not exists (select 1 from tasks where step_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where step_limit = limits.name and owner is null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is null)
  and not exists (select 1 from stopping_tasks where step_limit = limits.name)
  and not exists (select 1 from stopping_tasks where key_limit = limits.name)
order by name
limit $2
