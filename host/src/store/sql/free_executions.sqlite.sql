-- Makes the executions of a dead host ready for any other. Whoever takes a paused one looks at what has arrived,
-- which may end it by force, and parks it. A loss counts in a row only while no entry is added between two.
-- $1 the host, $2 now.
update executions
set
  owner = null,
  ready = 1,
  visible_at = $2,
  lost_at_seq = (select coalesce(max(seq), 0) from journal where journal.execution_id = executions.id),
  losses = case
    when lost_at_seq = (select coalesce(max(seq), 0) from journal where journal.execution_id = executions.id) then losses + 1
    else 1
  end
where owner = $1
