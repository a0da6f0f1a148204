-- Everything a workflow needs: limits across the cluster, results that answer later calls, schedules, what a module was
-- granted, retention. Each section below is of one of them.

-- Results that answer later calls: the row of a key decides which call leads, and the others follow it as tasks that nobody
-- may claim. A leader whose task goes without an end leaves its result vacant, however it goes and whoever removes it: that
-- is for a trigger, because no statement may forget it and the binary before knows nothing of it.

alter table results
  add column keep_micros bigint,
  add column awaited bigint not null default 0;
alter table tasks
  add column result_key bytea,
  add column follows bytea;
drop table waiters;

create index tasks_follow on tasks (follows, id) where follows is not null;
create index results_answer on results (key) where awaited = 1 and state <> 'running';

create function leave_result_vacant() returns trigger language plpgsql as $$
begin
  update results
  set state = 'vacant', expires_at = created_at
  where key = old.result_key
    and task_id = old.id
    and state = 'running';
  return null;
end
$$;

create trigger tasks_leave_result_vacant
  after delete on tasks
  for each row
  when (old.result_key is not null)
  execute function leave_result_vacant();

-- Schedules: when a workflow is started again and again. The table of 0001 was never used. `spec` is what was asked for and
-- `progress` what it remembers, both JSON; `next_at` is the next firing, `due_at` when somebody has to look.
drop table schedules;

create table schedules (
  name text not null primary key,
  spec text not null,
  version bigint not null,
  progress text not null,
  paused_at bigint,
  next_at bigint,
  due_at bigint,
  created_at bigint not null,
  updated_at bigint not null
);

create index schedules_due on schedules (due_at) where paused_at is null and due_at is not null;

-- Dead letters are looked for by more than their execution: where the step waited and how it failed stand beside it.

alter table dead_letters add column queue text;
alter table dead_letters add column failure_kind text;
update dead_letters set failure_kind = substring(failure from '^\{"kind":"([^"\\]*)"');

create index dead_letters_by_step on dead_letters (step, id);
create index dead_letters_clean on dead_letters (created_at, id);

-- Retention: executions that have ended for long are found by when they did. One whose journal is too long for a single
-- transaction is marked before its first entry goes, so that nobody revives what is left of it.

alter table executions add column removed_at bigint;

create index executions_remove on executions (state, completed_at, id) where completed_at is not null;

-- Grants: what an operator granted to the modules of a name, as the JSON of a manifest's capabilities; who and when.

create table grants (
  module text not null primary key,
  granted text not null,
  granted_by text not null,
  granted_at bigint not null
);

-- Limits across the cluster: a row for each, whose lock serialises whoever judges by it. The slot that a running task takes is its
-- own row, so that none can be lost; a task that has to wait says for which of its two limits, and is in nobody's way. `tat` and
-- `interval_micros` are those of the generic cell rate algorithm; `next_at` says when to look who of those that wait may go on.
-- Hosts say which queues they serve and which tags they have, so that it can be told why a task waits.

drop table limits;

create table limits (
  name text not null primary key,
  step text not null,
  key text,
  slots bigint,
  rate text,
  interval_micros bigint,
  burst bigint,
  tat bigint not null default 0,
  next_at bigint
);

create index limits_due on limits (next_at) where next_at is not null;

alter table tasks add column step_limit text;
alter table tasks add column key_limit text;
alter table tasks add column blocked_on text;

create index tasks_step_running on tasks (step_limit) where step_limit is not null and owner is not null;
create index tasks_key_running on tasks (key_limit) where key_limit is not null and owner is not null;
create index tasks_step_waiting on tasks (step_limit) where step_limit is not null and owner is null;
create index tasks_step_passed on tasks (step_limit) where step_limit is not null and owner is null and blocked_on is null and ready = 1;
create index tasks_key_passed on tasks (key_limit) where key_limit is not null and owner is null and blocked_on is null and ready = 1;
create index tasks_key_waiting on tasks (key_limit) where key_limit is not null and owner is null;
create index tasks_key_between on tasks (key_limit) where key_limit is not null and blocked_on = step_limit;
create index tasks_blocked on tasks (blocked_on, rank) where blocked_on is not null;
create index tasks_limited_of on tasks (execution_id) where step_limit is not null;
create index tasks_key_limited_of on tasks (execution_id) where key_limit is not null;
create index tasks_list on tasks (created_at, id);

-- Calls that were dropped while they ran: they keep the slots of their limits until their guest is gone.
create table stopping_tasks (
  id bytea not null primary key,
  owner bytea not null,
  attempt bigint not null,
  execution_id bytea not null,
  step text not null,
  started_at bigint,
  step_limit text,
  key_limit text
);

create index stopping_of on stopping_tasks (owner);
create index stopping_step on stopping_tasks (step_limit) where step_limit is not null;
create index stopping_key on stopping_tasks (key_limit) where key_limit is not null;

alter table hosts add column queues text;
alter table hosts add column tags text;

alter table queues add column changes bigint not null default 0;
