-- Nobody waits for a lock but for the one on the file, which is taken already.
-- $1 how long.
select $1 as lock_timeout, $1 as statement_timeout
