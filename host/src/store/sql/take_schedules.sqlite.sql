-- Schedules that nobody else gets at until the end of the transaction, in the order of their names. The value of a row: the
-- name.
select
  name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
from schedules
where name in (values (?))
order by name
