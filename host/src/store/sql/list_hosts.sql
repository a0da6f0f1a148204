-- Incarnations, newest first.
-- $1 how many at most.
select id, name, alive, lease_ends, version, started_at
from hosts
order by started_at desc, id desc
limit $1
