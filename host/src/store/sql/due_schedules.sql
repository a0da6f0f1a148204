-- Schedules that have to be looked at, the one that is due longest first.
-- $1 now, $2 how many at most.
select name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
from schedules
where paused_at is null
  and due_at is not null
  and due_at <= $1
order by due_at, name
limit $2
