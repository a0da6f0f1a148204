-- Has tasks lead the results of keys that answer no call: those given back. Each key once.
-- The values of a row: key, step, version, keep_micros, task_id, now.
insert into results as kept (key, step, version, keep_micros, task_id, created_at, state)
values (?, ?, ?, ?, ?, ?, 'running')
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
