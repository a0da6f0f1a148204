-- A page of a log.
-- $1 the execution, $2 only lines after this one, $3 how many at most.
select id, run, step, promise, attempt, at, level, message, fields, attempt_began_at
from logs
where execution_id = $1
  and id > $2
order by id
limit $3
