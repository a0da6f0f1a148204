-- Attempts of steps that failed, where another was made, stand in the log with the time at which they began: with `at`, which
-- is when they ended, they are bars of a timeline.

alter table logs add column attempt_began_at integer;

create index logs_attempts on logs (execution_id, id) where attempt_began_at is not null;

-- Executions by what they are of and how they stand. Those that run and those that have completed are left out: of the first
-- there are never many, the second are most of what there is, and what is neither parked nor ends badly is not written here.

create index executions_list_workflow_state on executions (workflow, state, created_at, id)
  where state <> 'running' and state <> 'completed';
create index executions_list_queue_state on executions (queue, state, created_at, id)
  where state <> 'running' and state <> 'completed';
create index executions_list_module_state on executions (module_digest, state, created_at, id)
  where state <> 'running' and state <> 'completed';

-- Dead letters and tasks by what people look for, where there are many of others.

create index dead_letters_in_queue on dead_letters (queue, id) where queue is not null;
create index dead_letters_of_kind on dead_letters (failure_kind, id) where failure_kind is not null;
create index tasks_in_queue on tasks (queue, created_at, id);
