-- Attempts of steps that failed, where another was made, stand in the log with the time at which they began: with `at`, which
-- is when they ended, they are bars of a timeline.

alter table logs add column attempt_began_at bigint;

create index logs_attempts on logs (execution_id, id) where attempt_began_at is not null;
