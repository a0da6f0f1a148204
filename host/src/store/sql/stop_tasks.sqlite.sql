-- Calls that were dropped while they run keep the slots of their limits until their hosts have stopped them.
-- The values of a row: id, owner, attempt, execution_id, step, started_at, step_limit, key_limit.
insert into stopping_tasks (id, owner, attempt, execution_id, step, started_at, step_limit, key_limit)
values (?, ?, ?, ?, ?, ?, ?, ?)
