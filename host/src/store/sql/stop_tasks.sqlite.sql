-- Calls that were dropped while they run keep the slots of their limits until their hosts have stopped them.
-- The values of a row: id, owner, execution_id, step, started_at, step_limit, key_limit.
insert into stopping_tasks (id, owner, execution_id, step, started_at, step_limit, key_limit)
values (?, ?, ?, ?, ?, ?, ?)
