-- Attempts of dropped calls that run no longer. The values of a row: the task, the host.
delete from stopping_tasks
where (id, owner) in (values (?, ?))
returning step_limit, key_limit
