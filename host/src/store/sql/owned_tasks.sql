-- The tasks that the rows say are a host's.
-- $1 the host.
select id, execution_id, run, promise, attempt
from tasks
where owner = $1
order by id
