-- A journal as replay reads it: without the inputs of commands (kinds 10 to 19), which it compares by their hashes.
-- $1 the execution, $2 from which entry on.
select seq, run, recorded_at, kind, promise, name, head, case when kind between 10 and 19 then null else data end
from journal
where execution_id = $1
  and seq >= $2
order by seq
