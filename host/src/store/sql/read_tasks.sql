-- The promises that tasks of an execution will settle.
-- $1 the execution.
select run, promise
from tasks
where execution_id = $1
order by run, promise
