-- Makes the executions of a dead host ready for any other, locked in the order of their ids as every transaction does. Whoever
-- takes a paused one looks at what has arrived, which may end it by force, and parks it. A loss counts in a row only while no
-- entry is added between two.
-- $1 the host, $2 now.
with freed as (
  select id, (select coalesce(max(seq), 0) from journal where journal.execution_id = executions.id) as last_seq
  from executions
  where owner = $1
  order by id
  for update
)
update executions
set
  owner = null,
  ready = 1,
  visible_at = $2,
  lost_at_seq = freed.last_seq,
  losses = case when lost_at_seq = freed.last_seq then losses + 1 else 1 end
from freed
where executions.id = freed.id
