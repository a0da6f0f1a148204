-- Calls that were dropped while they run keep the slots of their limits until their hosts have stopped them.
-- $1 and on, an array each: id, owner, attempt, execution_id, step, started_at, step_limit, key_limit.
insert into stopping_tasks (id, owner, attempt, execution_id, step, started_at, step_limit, key_limit)
select *
from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::text[])
