-- Writes schedules as they are now, new or changed.
-- The values of a row: name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at.
insert into schedules (
  name, spec, version, progress, paused_at, next_at, due_at, created_at, updated_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (name) do update
set spec = excluded.spec,
  version = excluded.version,
  progress = excluded.progress,
  paused_at = excluded.paused_at,
  next_at = excluded.next_at,
  due_at = excluded.due_at,
  updated_at = excluded.updated_at
returning name
