-- One entry of a journal.
-- $1 the execution, $2 its seq.
select seq, run, recorded_at, kind, promise, name, head, data
from journal
where execution_id = $1
  and seq = $2
