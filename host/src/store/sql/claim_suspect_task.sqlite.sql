-- Claims one task that is ready and that its hosts were lost under: of those with the fewest losses the lowest rank.
-- $1 the host, $2 its queues (a JSON array, null for all), $3 its tags (likewise), $4 from how many losses on, $5 now.
update tasks
set
  owner = $1,
  ready = 0,
  schedule_by = case when coalesce(key_limit, step_limit) is null then null else schedule_by end,
  started_at = $5
where id = (
  select candidate.id
  from tasks as candidate
  where candidate.ready = 1
    and candidate.losses > 0
    and candidate.losses >= $4
    and not exists (
      select 1 from executions where executions.id = candidate.execution_id and executions.paused_at is not null
    )
    and ($2 is null or candidate.queue in (select value from json_each($2)))
    and not exists (select 1 from queues where queues.name = candidate.queue and queues.paused_at is not null)
    and ($3 is null or candidate.tags is null or exists (
      select 1
      from json_each(candidate.tags) as tag
      where tag.value in (select value from json_each($3))
    ))
  order by candidate.losses, candidate.rank
  limit 1
)
returning
  id, rank, step_limit, key_limit, execution_id, run, promise, step, input_seq, input_index, attempt, timeout_micros, schedule_by, retry,
  heartbeat, losses, queue, created_at,
  (select workflow from executions where executions.id = tasks.execution_id) as workflow,
  (select module_digest from executions where executions.id = tasks.execution_id) as module_digest,
  (select traceparent from executions where executions.id = tasks.execution_id) as traceparent
