-- The counters of an execution, by name.
-- $1 the execution, $2 how many at most.
select name, value
from counters
where execution_id = $1
order by name
limit $2
