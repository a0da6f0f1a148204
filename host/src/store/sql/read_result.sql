-- The end of an execution that has ended: its last entry.
-- $1 the execution.
select seq, run, recorded_at, kind, promise, name, head, data
from journal
where execution_id = $1
  and exists (
    select 1
    from executions
    where id = $1
      and state in ('completed', 'failed', 'timed_out', 'cancelled')
  )
order by seq desc
limit 1
