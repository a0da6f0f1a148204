-- Pauses a queue, or resumes it. One that is paused stays paused since when it was.
-- $1 the queue, $2 since when (null resumes).
insert into queues (name, paused_at, changes)
values ($1, $2, 1)
on conflict (name) do update
set
  paused_at = case when cast($2 as bigint) is null then null else coalesce(queues.paused_at, $2) end,
  changes = queues.changes + 1
