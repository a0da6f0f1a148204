-- Removes calls that no longer interest their workflow. The values of a row: execution, run, promise.
delete from tasks
where (execution_id, run, promise) in (values (?, ?, ?))
returning id, owner, attempt, execution_id, step, started_at, step_limit, key_limit
