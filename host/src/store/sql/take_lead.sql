-- Has a task lead a result whose leader is gone.
-- $1 the key, $2 the leader that is gone, $3 the task, $4 now.
update results
set
  state = 'running',
  task_id = $3,
  created_at = $4,
  expires_at = null
where key = $1
  and task_id = $2
  and state = 'vacant'
