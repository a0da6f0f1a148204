-- Claims tasks that are ready, lowest rank first: the first few of each queue, and of these the first few.
-- $1 the host, $2 its queues (a JSON array, null for all), $3 its tags (likewise), $4 how many, $5 now,
-- $6 how many losses make a suspect, which is left (null for none).
with recursive names (queue) as (
  select min(queue) from tasks where ready = 1
  union all
  select (select min(queue) from tasks where ready = 1 and queue > names.queue)
  from names
  where names.queue is not null
),
chosen (id) as (
  select work.id
  from names
  cross join tasks as work
  where names.queue is not null
    and ($2 is null or names.queue in (select value from json_each($2)))
    and not exists (select 1 from queues where queues.name = names.queue and queues.paused_at is not null)
    and work.id in (
      select candidate.id
      from tasks as candidate
      where candidate.ready = 1
        and candidate.queue = names.queue
        and ($6 is null or candidate.losses < $6)
        and not exists (
          select 1 from executions where executions.id = candidate.execution_id and executions.paused_at is not null
        )
        and ($3 is null or candidate.tags is null or exists (
          select 1
          from json_each(candidate.tags) as tag
          where tag.value in (select value from json_each($3))
        ))
      order by candidate.rank
      limit $4
    )
  order by work.rank
  limit $4
)
update tasks
set
  owner = $1,
  ready = 0,
  schedule_by = case when coalesce(key_limit, step_limit) is null then null else schedule_by end,
  started_at = $5
where id in (select id from chosen)
returning
  id, rank, step_limit, key_limit, execution_id, run, promise, step, input_seq, input_index, attempt, timeout_micros, schedule_by, retry,
  heartbeat, losses, queue, created_at,
  (select workflow from executions where executions.id = tasks.execution_id) as workflow,
  (select module_digest from executions where executions.id = tasks.execution_id) as module_digest,
  (select traceparent from executions where executions.id = tasks.execution_id) as traceparent
