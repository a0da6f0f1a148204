-- Takes what has arrived into the next run, so that it still settles what it was meant for.
-- What an earlier run was meant for stays there, and is dropped.
-- $1 the execution, $2 its run until now, $3 the next.
update inbox
set run = $3
where execution_id = $1
  and run = $2
