-- Schedules by name.
-- $1 only those after this name (null for all), $2 how many at most.
select name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
from schedules
where (name > $1 or $1 is null)
order by name
limit $2
