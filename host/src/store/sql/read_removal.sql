-- Since when an execution is being removed.
-- $1 the execution.
select removed_at
from executions
where id = $1
