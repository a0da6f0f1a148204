-- Says that a part of an execution is gone.
-- $1 the execution, $2 now.
update executions
set removed_at = coalesce(removed_at, $2)
where id = $1
