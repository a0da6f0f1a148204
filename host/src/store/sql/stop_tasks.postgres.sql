-- Calls that were dropped while they run keep the slots of their limits until their hosts have stopped them.
-- $1 and on, an array each: id, owner, execution_id, step, started_at, step_limit, key_limit.
insert into stopping_tasks (id, owner, execution_id, step, started_at, step_limit, key_limit)
select *
from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[], $6::text[], $7::text[])
