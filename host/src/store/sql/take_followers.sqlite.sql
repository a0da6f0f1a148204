-- Takes tasks that follow a result which is there, or has failed: only from what this gives back may they be answered.
-- The value of a row: the task.
delete from tasks
where id in (values (?))
  and exists (
    select 1
    from results
    where results.key = tasks.follows
      and results.state in ('completed', 'failed')
  )
returning follows, execution_id, run, promise
