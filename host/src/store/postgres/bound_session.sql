-- Bounds what a session may wait for and hold. Where the client is gone without a word, the server finds out in time.
-- Statements are planned as for large tables: a plan that is made while a table is small is kept while it grows, and every statement
-- has an index (decision 0030). What takes a millisecond is worth neither compiling nor other processes.
-- $1 statement_timeout, $2 lock_timeout, $3 how long a transaction may idle, all in milliseconds; $4 plan_cache_mode.
select
  set_config('statement_timeout', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('idle_in_transaction_session_timeout', $3, false),
  set_config('tcp_user_timeout', $3, false),
  set_config('tcp_keepalives_idle', '3', false),
  set_config('tcp_keepalives_interval', '1', false),
  set_config('tcp_keepalives_count', '3', false),
  set_config('plan_cache_mode', $4, false),
  set_config('enable_seqscan', 'off', false),
  set_config('jit', 'off', false),
  set_config('max_parallel_workers_per_gather', '0', false),
  set_config('client_min_messages', 'warning', false)
