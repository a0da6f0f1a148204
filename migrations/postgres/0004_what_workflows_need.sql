-- Everything a workflow needs: limits across the cluster, results that answer later calls, schedules, what a module was
-- granted, retention. Each section below is of one of them.

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
create index tasks_step_passed on tasks (step_limit) where step_limit is not null and owner is null and blocked_on is null;
create index tasks_key_passed on tasks (key_limit) where key_limit is not null and owner is null and blocked_on is null;
create index tasks_key_between on tasks (key_limit) where key_limit is not null and blocked_on = step_limit;
create index tasks_blocked on tasks (blocked_on, rank) where blocked_on is not null;
create index tasks_limited_of on tasks (execution_id) where step_limit is not null;
create index tasks_key_limited_of on tasks (execution_id) where key_limit is not null;
create index tasks_list on tasks (created_at, id);

alter table hosts add column queues text;
alter table hosts add column tags text;

alter table queues add column changed_at bigint;
