-- Removes the dead letters of a step that is tried again.
-- $1 the execution, $2 the promise.
delete from dead_letters
where execution_id = $1
  and promise = $2
