-- Has claimed tasks wait for a limit that has no room for them: they were never begun.
-- The values of a row: the task, the limit.
with back (id, blocked_on) as (
  values (?, ?)
)
update tasks
set
  owner = null,
  ready = 0,
  started_at = null,
  visible_at = 9223372036854775807,
  blocked_on = back.blocked_on
from back
where tasks.id = back.id
