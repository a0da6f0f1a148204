-- The hash of the input that an execution was started with.
-- $1 the execution.
select input_hash
from executions
where id = $1
