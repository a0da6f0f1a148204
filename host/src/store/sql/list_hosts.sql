-- Incarnations, those that live first, and of both the newest first.
-- $1 how many at most.
select id, name, alive, lease_ends, version, started_at
from hosts
order by alive desc, started_at desc, id desc
limit $1
