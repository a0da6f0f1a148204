-- The calls that were dropped while a host ran them.
-- $1 the host.
select id, attempt
from stopping_tasks
where owner = $1
order by id
