-- What the hosts that live serve: each pair of queues and tags once, as JSON arrays, null for all.
-- $1 how many at most.
select distinct queues, tags
from hosts
where alive = 1
order by queues, tags
limit $1
