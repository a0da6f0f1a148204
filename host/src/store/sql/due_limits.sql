-- Limits that are to be looked at, because those who wait for them may go on.
-- $1 now, $2 how many at most.
select name
from limits
where next_at is not null
  and next_at <= $1
order by next_at
limit $2
