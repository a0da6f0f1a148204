-- Where an execution stands.
-- $1 the execution.
select state
from executions
where id = $1
