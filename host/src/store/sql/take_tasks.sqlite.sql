-- Takes the rows of attempts that have ended: only from what this gives back may outcomes be made.
-- The values of a row: the task, the host, the attempt.
with ended (id, owner, attempt) as (
  values (?, ?, ?)
)
delete from tasks
where id in (select id from ended)
  and exists (
    select 1
    from ended
    where ended.id = tasks.id
      and ended.owner = tasks.owner
      and ended.attempt = tasks.attempt
  )
returning id, execution_id, run, promise, step, step_limit, key_limit, result_key, queue
