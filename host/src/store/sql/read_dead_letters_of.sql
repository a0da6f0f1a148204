-- The dead letters of an execution and what each would have settled: no more than its journal has promises.
-- $1 the execution.
select id, run, promise
from dead_letters
where execution_id = $1
order by id
