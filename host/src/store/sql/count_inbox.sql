-- How many arrivals of one kind lie in an inbox.
-- $1 the execution, $2 the kind.
select count(*)
from inbox
where execution_id = $1
  and kind = $2
