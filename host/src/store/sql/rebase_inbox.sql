-- Takes what has arrived into the next run, so that it still settles what it was meant for.
-- $1 the execution, $2 the run.
update inbox
set run = $2
where execution_id = $1
