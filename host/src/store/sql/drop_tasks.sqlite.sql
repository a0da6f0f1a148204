-- Removes calls that no longer interest their workflow. The values of a row: execution, run, promise.
delete from tasks
where (execution_id, run, promise) in (values (?, ?, ?))
