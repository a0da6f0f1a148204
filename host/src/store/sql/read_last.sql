-- The last entry of a journal, superseded or not.
-- $1 the execution.
select seq, recorded_at
from journal
where execution_id = $1
order by seq desc
limit 1
