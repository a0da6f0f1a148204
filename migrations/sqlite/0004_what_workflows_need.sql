-- Everything a workflow needs: limits across the cluster, results that answer later calls, schedules, what a module was
-- granted, retention. Each section below is of one of them.

-- Schedules: when a workflow is started again and again. The table of 0001 was never used. `spec` is what was asked for and
-- `progress` what it remembers, both JSON; `next_at` is the next firing, `due_at` when somebody has to look.
drop table schedules;

create table schedules (
  name text not null primary key,
  spec text not null,
  version integer not null,
  progress text not null,
  paused_at integer,
  next_at integer,
  due_at integer,
  created_at integer not null,
  updated_at integer not null
) strict;

create index schedules_due on schedules (due_at) where paused_at is null and due_at is not null;
