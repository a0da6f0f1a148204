-- The queues that are paused, and since when.
-- $1 how many at most.
select name, paused_at
from queues
where paused_at is not null
order by name
limit $1
