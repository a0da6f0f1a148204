-- Has tasks lead the results of keys that answer no call: those given back. The row of every key is locked. Each key once,
-- in the order of the keys.
-- $1 and on, an array each: key, step, version, keep_micros, task_id, now.
insert into results as kept (key, step, version, keep_micros, task_id, created_at, state)
select key, step, version, keep_micros, task_id, created_at, 'running'
from unnest(
  $1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[]
) as call (key, step, version, keep_micros, task_id, created_at)
on conflict (key) do update
set
  state = 'running',
  task_id = excluded.task_id,
  keep_micros = excluded.keep_micros,
  created_at = excluded.created_at,
  expires_at = null
where kept.state in ('vacant', 'failed')
  or (kept.state = 'completed' and kept.expires_at <= excluded.created_at)
returning key
