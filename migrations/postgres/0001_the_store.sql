-- Everything a host keeps: without these tables nothing is durable, so they come first.
--
-- Ids are 16 bytes, digests 32, times microseconds since 1970. `ready` is 1 where a row may be claimed this instant: it has
-- no owner, is due, not paused and can go on. Indexes are named after the statement they serve.

create table hosts (
  id bytea not null primary key,
  name text not null,
  alive smallint not null,
  lease_ends bigint,
  lease_micros bigint,
  version text not null,
  started_at bigint not null
);

create table modules (
  digest bytea not null primary key,
  name text not null,
  size bigint not null,
  manifest text not null,
  created_at bigint not null,
  wasm bytea not null
);

create index modules_list on modules (created_at, digest);

create table deployments (
  name text not null primary key,
  digest bytea not null,
  activated_at bigint not null
);

create table executions (
  id bytea not null primary key,
  run bigint not null,
  module_digest bytea not null,
  workflow text not null,
  state text not null,
  paused_at bigint,
  queue text not null,
  tags text,
  priority bigint not null,
  parent_id bytea,
  parent_run bigint,
  parent_promise bigint,
  parent_detached smallint,
  owner bytea,
  ready smallint not null,
  visible_at bigint,
  rank bigint not null,
  inbox_seq bigint not null,
  base bigint not null,
  losses bigint not null,
  lost_at_seq bigint not null,
  journal_version bigint not null,
  created_at bigint not null,
  started_at bigint,
  completed_at bigint,
  expires_at bigint,
  max_duration bigint,
  failure_kind text,
  failure text,
  input_hash bytea not null
);

create index executions_claim on executions (queue, rank) where ready = 1;
create index executions_promote on executions (visible_at)
  where ready = 0 and owner is null and paused_at is null and visible_at is not null;
create index executions_owned on executions (owner) where owner is not null;
create index executions_list on executions (created_at, id);
create index executions_list_state on executions (state, created_at, id);
create index executions_children on executions (parent_id, created_at, id) where parent_id is not null;

create table journal (
  execution_id bytea not null,
  seq bigint not null,
  run bigint not null,
  kind smallint not null,
  promise bigint,
  name text,
  head bytea not null,
  data bytea,
  recorded_at bigint not null,
  primary key (execution_id, seq)
);

-- An id is never used twice, so that nobody can admit an arrival he has not read.
create table inbox (
  id bigint generated always as identity primary key,
  execution_id bytea not null,
  run bigint not null,
  kind smallint not null,
  promise bigint,
  name text,
  head bytea not null,
  data bytea,
  created_at bigint not null
);

create index inbox_read on inbox (execution_id, id);

create table tasks (
  id bytea not null primary key,
  execution_id bytea not null,
  run bigint not null,
  promise bigint not null,
  step text not null,
  input_seq bigint not null,
  input_index bigint not null,
  queue text not null,
  tags text,
  priority bigint not null,
  rank bigint not null,
  ready smallint not null,
  visible_at bigint not null,
  attempt bigint not null,
  losses bigint not null,
  owner bytea,
  timeout_micros bigint not null,
  schedule_by bigint,
  retry text not null,
  last_failure text,
  heartbeat text,
  created_at bigint not null,
  started_at bigint
);

create unique index tasks_of_execution on tasks (execution_id, run, promise);
create index tasks_claim on tasks (queue, rank) where ready = 1;
create index tasks_promote on tasks (visible_at) where ready = 0 and owner is null;
create index tasks_expire on tasks (schedule_by) where owner is null and schedule_by is not null;
create index tasks_owned on tasks (owner) where owner is not null;
create index tasks_count on tasks (queue, owner);

create table dead_letters (
  id bigint generated always as identity primary key,
  execution_id bytea not null,
  run bigint not null,
  promise bigint not null,
  step text not null,
  input_seq bigint not null,
  input_index bigint not null,
  attempts bigint not null,
  failure text not null,
  created_at bigint not null
);

create index dead_letters_list on dead_letters (execution_id, id);

-- A slot of a cluster-wide limit is a row: taken in the claim, given back with the task.
create table limits (
  name text not null,
  slot bigint not null,
  task_id bytea,
  taken_at bigint,
  primary key (name, slot)
);

create index limits_take on limits (name) where task_id is null;
create index limits_give_back on limits (task_id) where task_id is not null;

-- What cached and idempotent calls have brought, and who waits for one that is under way.
create table results (
  key bytea not null primary key,
  step text not null,
  version text not null,
  state text not null,
  task_id bytea,
  outcome_head bytea,
  outcome_data bytea,
  created_at bigint not null,
  expires_at bigint
);

create index results_prune on results (expires_at) where expires_at is not null;

create table waiters (
  key bytea not null,
  execution_id bytea not null,
  run bigint not null,
  promise bigint not null,
  primary key (key, execution_id, run, promise)
);

create table counters (
  execution_id bytea not null,
  name text not null,
  value bigint not null,
  primary key (execution_id, name)
);

create table state (
  execution_id bytea not null,
  key text not null,
  value text not null,
  primary key (execution_id, key)
);

create table logs (
  id bigint generated always as identity primary key,
  execution_id bytea not null,
  run bigint not null,
  step text,
  promise bigint,
  attempt bigint not null,
  at bigint not null,
  level text,
  message text not null,
  fields text not null
);

create index logs_read on logs (execution_id, id);

create table queues (
  name text not null primary key,
  paused_at bigint
);

create table schedules (
  name text not null primary key,
  workflow text not null,
  module text not null,
  input text not null,
  cron text not null,
  time_zone text not null,
  overlap text not null,
  catch_up_micros bigint not null,
  queue text not null,
  tags text,
  priority bigint not null,
  paused_at bigint,
  last_at bigint,
  next_at bigint,
  created_at bigint not null
);

create index schedules_fire on schedules (next_at) where paused_at is null and next_at is not null;

create table keys (
  id text not null primary key,
  name text not null,
  hash bytea not null,
  scopes text not null,
  created_at bigint not null,
  last_used_at bigint,
  revoked_at bigint
);

create table audit (
  id bigint generated always as identity primary key,
  at bigint not null,
  key_id text,
  action text not null,
  subject text not null,
  detail text not null
);

create index audit_list on audit (at, id);
