-- A page of a journal, with the inputs of commands.
-- $1 the execution, $2 only entries after this one, $3 how many at most.
select seq, run, recorded_at, kind, promise, name, head, data
from journal
where execution_id = $1
  and seq > $2
order by seq
limit $3
