-- Schedules that nobody else is at, and nobody else gets at until the end of the transaction, in the order of their names. The
-- value of a row: the name.
select
  name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
from schedules
where name = any($1::text[])
order by name
for update skip locked
