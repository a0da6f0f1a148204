-- The arrivals of an execution in their order.
-- $1 the execution.
select id, run, kind, promise, name, head, data
from inbox
where execution_id = $1
order by id
