-- The executions that the rows say are a host's.
-- $1 the host.
select id
from executions
where owner = $1
order by id
