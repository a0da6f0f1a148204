-- Says that nobody waits any more for what these leaders were to bring, where that is so.
-- $1 and on, an array each: key, task_id.
update results
set awaited = 0
from unnest($1::bytea[], $2::bytea[]) as answered (key, task_id)
where results.key = answered.key
  and results.task_id = answered.task_id
  and results.state <> 'running'
  and not exists (select 1 from tasks where tasks.follows = results.key)
