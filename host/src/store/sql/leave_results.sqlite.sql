-- Says that nobody waits any more for what these leaders were to bring, where that is so.
-- The values of a row: key, task_id.
update results
set awaited = 0
where (key, task_id) in (values (?, ?))
  and state <> 'running'
  and not exists (select 1 from tasks where tasks.follows = results.key)
