-- Removes lines of the log of an execution that is removed.
-- $1 the execution, $2 how many at most.
delete from logs
where id in (
  select id
  from logs
  where execution_id = $1
  order by id
  limit $2
)
