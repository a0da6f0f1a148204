-- Where executions stand. The value of a row: the id.
select
  id, state
from executions
where id in (values (?))
order by id
