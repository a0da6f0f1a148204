-- Where executions stand. The value of a row: the id.
select
  id, state
from executions
where id = any($1::bytea[])
order by id
