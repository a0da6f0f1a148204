-- Everything a host keeps: without these tables nothing is durable, so they come first.
--
-- Ids are 16 bytes, digests 32, times microseconds since 1970. `ready` is 1 where a row may be claimed this instant: it has
-- no owner, is due, not paused and can go on. Indexes are named after the statement they serve.

create table hosts (
  id blob not null primary key,
  name text not null,
  alive integer not null,
  lease_ends integer,
  lease_micros integer,
  version text not null,
  started_at integer not null
) strict, without rowid;

create table modules (
  digest blob not null primary key,
  name text not null,
  size integer not null,
  manifest text not null,
  created_at integer not null,
  wasm blob not null
) strict;

create index modules_list on modules (created_at, digest);

create table deployments (
  name text not null primary key,
  digest blob not null,
  activated_at integer not null
) strict, without rowid;

create table executions (
  id blob not null primary key,
  run integer not null,
  module_digest blob not null,
  workflow text not null,
  state text not null,
  paused_at integer,
  queue text not null,
  tags text,
  priority integer not null,
  parent_id blob,
  parent_run integer,
  parent_promise integer,
  parent_detached integer,
  owner blob,
  ready integer not null,
  visible_at integer,
  rank integer not null,
  inbox_seq integer not null,
  base integer not null,
  losses integer not null,
  lost_at_seq integer not null,
  journal_version integer not null,
  created_at integer not null,
  started_at integer,
  completed_at integer,
  expires_at integer,
  max_duration integer,
  failure_kind text,
  failure text,
  input_hash blob not null
) strict, without rowid;

create index executions_claim on executions (queue, rank) where ready = 1;
create index executions_promote on executions (visible_at)
  where ready = 0 and owner is null and paused_at is null and visible_at is not null;
create index executions_owned on executions (owner) where owner is not null;
create index executions_list on executions (created_at, id);
create index executions_list_state on executions (state, created_at, id);
create index executions_children on executions (parent_id, created_at, id) where parent_id is not null;

-- Many executions write at once: in the order of writing, a batch fills a few pages, clustered by execution it would touch
-- one for each.
create table journal (
  execution_id blob not null,
  seq integer not null,
  run integer not null,
  kind integer not null,
  promise integer,
  name text,
  head blob not null,
  data blob,
  recorded_at integer not null,
  primary key (execution_id, seq)
) strict;

-- An id is never used twice, so that nobody can admit an arrival he has not read.
create table inbox (
  id integer primary key autoincrement,
  execution_id blob not null,
  run integer not null,
  kind integer not null,
  promise integer,
  name text,
  head blob not null,
  data blob,
  created_at integer not null
) strict;

create index inbox_read on inbox (execution_id, id);

create table tasks (
  id blob not null primary key,
  execution_id blob not null,
  run integer not null,
  promise integer not null,
  step text not null,
  input_seq integer not null,
  input_index integer not null,
  queue text not null,
  tags text,
  priority integer not null,
  rank integer not null,
  ready integer not null,
  visible_at integer not null,
  attempt integer not null,
  losses integer not null,
  owner blob,
  timeout_micros integer not null,
  schedule_by integer,
  retry text not null,
  last_failure text,
  heartbeat text,
  created_at integer not null,
  started_at integer
) strict, without rowid;

create unique index tasks_of_execution on tasks (execution_id, run, promise);
create index tasks_claim on tasks (queue, rank) where ready = 1;
create index tasks_promote on tasks (visible_at) where ready = 0 and owner is null;
create index tasks_expire on tasks (schedule_by) where owner is null and schedule_by is not null;
create index tasks_owned on tasks (owner) where owner is not null;
create index tasks_count on tasks (queue, owner);

create table dead_letters (
  id integer primary key autoincrement,
  execution_id blob not null,
  run integer not null,
  promise integer not null,
  step text not null,
  input_seq integer not null,
  input_index integer not null,
  attempts integer not null,
  failure text not null,
  created_at integer not null
) strict;

create index dead_letters_list on dead_letters (execution_id, id);

-- A slot of a cluster-wide limit is a row: taken in the claim, given back with the task.
create table limits (
  name text not null,
  slot integer not null,
  task_id blob,
  taken_at integer,
  primary key (name, slot)
) strict, without rowid;

create index limits_take on limits (name) where task_id is null;
create index limits_give_back on limits (task_id) where task_id is not null;

-- What cached and idempotent calls have brought, and who waits for one that is under way.
create table results (
  key blob not null primary key,
  step text not null,
  version text not null,
  state text not null,
  task_id blob,
  outcome_head blob,
  outcome_data blob,
  created_at integer not null,
  expires_at integer
) strict, without rowid;

create index results_prune on results (expires_at) where expires_at is not null;

create table waiters (
  key blob not null,
  execution_id blob not null,
  run integer not null,
  promise integer not null,
  primary key (key, execution_id, run, promise)
) strict, without rowid;

create table counters (
  execution_id blob not null,
  name text not null,
  value integer not null,
  primary key (execution_id, name)
) strict, without rowid;

create table state (
  execution_id blob not null,
  key text not null,
  value text not null,
  primary key (execution_id, key)
) strict, without rowid;

create table logs (
  id integer primary key autoincrement,
  execution_id blob not null,
  run integer not null,
  step text,
  promise integer,
  attempt integer not null,
  at integer not null,
  level text,
  message text not null,
  fields text not null
) strict;

create index logs_read on logs (execution_id, id);

create table queues (
  name text not null primary key,
  paused_at integer
) strict, without rowid;

create table schedules (
  name text not null primary key,
  workflow text not null,
  module text not null,
  input text not null,
  cron text not null,
  time_zone text not null,
  overlap text not null,
  catch_up_micros integer not null,
  queue text not null,
  tags text,
  priority integer not null,
  paused_at integer,
  last_at integer,
  next_at integer,
  created_at integer not null
) strict, without rowid;

create index schedules_fire on schedules (next_at) where paused_at is null and next_at is not null;

create table keys (
  id text not null primary key,
  name text not null,
  hash blob not null,
  scopes text not null,
  created_at integer not null,
  last_used_at integer,
  revoked_at integer
) strict, without rowid;

create table audit (
  id integer primary key autoincrement,
  at integer not null,
  key_id text,
  action text not null,
  subject text not null,
  detail text not null
) strict;

create index audit_list on audit (at, id);
