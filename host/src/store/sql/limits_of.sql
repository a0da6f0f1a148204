-- The limits of the tasks of an execution.
-- $1 the execution, $2 how many at most.
select step_limit as name
from tasks
where execution_id = $1
  and step_limit is not null
union
select key_limit as name
from tasks
where execution_id = $1
  and key_limit is not null
order by name
limit $2
