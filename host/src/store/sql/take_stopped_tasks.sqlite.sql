-- Attempts of dropped calls that run no longer. The values of a row: the task, the host, the attempt.
delete from stopping_tasks
where (id, owner, attempt) in (values (?, ?, ?))
returning step_limit, key_limit
