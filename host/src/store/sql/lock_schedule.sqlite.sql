-- One schedule, which nobody else changes until the end of the transaction.
-- $1 its name.
select name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
from schedules
where name = $1
