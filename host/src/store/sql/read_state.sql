-- What people can read of an execution, by key.
-- $1 the execution, $2 how many at most.
select key, value
from state
where execution_id = $1
order by key
limit $2
