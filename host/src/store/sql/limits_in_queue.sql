-- The limits that tasks of a queue wait for or have gone past.
-- $1 the queue, $2 how many at most.
select name
from (
  select step_limit as name from tasks where queue = $1 and step_limit is not null and owner is null
  union
  select key_limit as name from tasks where queue = $1 and key_limit is not null and owner is null
) as named
order by name
limit $2
