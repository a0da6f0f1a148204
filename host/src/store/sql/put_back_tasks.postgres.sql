-- Has claimed tasks wait for a limit that has no room for them: they were never begun.
-- $1 and on, an array each: the task, the limit.
update tasks
set
  owner = null,
  ready = 0,
  started_at = null,
  visible_at = 9223372036854775807,
  blocked_on = back.blocked_on
from unnest($1::bytea[], $2::text[]) as back (id, blocked_on)
where tasks.id = back.id
