-- Removes the settlements of calls that a superseded part of the journal made.
-- $1 the execution, $2 the first promise that no longer counts.
delete from inbox
where execution_id = $1
  and promise >= $2
