-- The executions and tasks that the rows say are a host's, at one moment. `is_task` is 1 for a task; of an execution only its
-- id means something.
-- $1 the host.
select 0 as is_task, id, id as execution_id, run, 0 as promise, 0 as attempt
from executions
where owner = $1
union all
select 1 as is_task, id, execution_id, run, promise, attempt
from tasks
where owner = $1
order by is_task, id
