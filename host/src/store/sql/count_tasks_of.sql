-- How many tasks wait or run for an execution.
-- $1 the execution.
select count(*)
from tasks
where execution_id = $1
