-- Has this transaction wait for a lock, or work on one statement, no longer than that.
-- $1 how long, in milliseconds.
select
  set_config('lock_timeout', $1::bigint::text, true) as lock_timeout,
  set_config('statement_timeout', $1::bigint::text, true) as statement_timeout
