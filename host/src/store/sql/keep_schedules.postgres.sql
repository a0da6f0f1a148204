-- Writes schedules as they are now, new or changed.
-- $1 and on, an array each: name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at.
insert into schedules (
  name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
)
select *
from unnest(
  $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]
)
on conflict (name) do update
set spec = excluded.spec,
  version = excluded.version,
  progress = excluded.progress,
  paused_at = excluded.paused_at,
  next_at = excluded.next_at,
  due_at = excluded.due_at,
  updated_at = excluded.updated_at
returning name
