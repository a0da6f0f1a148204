-- Makes the executions of dead hosts ready for any other. A loss counts in a row only while no entry is added between two.
-- $1 now.
update executions
set
  owner = null,
  ready = case when paused_at is null then 1 else 0 end,
  visible_at = $1,
  lost_at_seq = (select coalesce(max(seq), 0) from journal where journal.execution_id = executions.id),
  losses = case
    when lost_at_seq = (select coalesce(max(seq), 0) from journal where journal.execution_id = executions.id) then losses + 1
    else 1
  end
where owner in (select id from hosts where alive = 0)
