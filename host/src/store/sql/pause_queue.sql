-- Pauses a queue, or resumes it. One that is paused stays paused since when it was.
-- $1 the queue, $2 since when (null resumes), $3 now.
insert into queues (name, paused_at, changed_at)
values ($1, $2, $3)
on conflict (name) do update
set
  paused_at = case when cast($2 as bigint) is null then null else coalesce(queues.paused_at, $2) end,
  changed_at = $3
