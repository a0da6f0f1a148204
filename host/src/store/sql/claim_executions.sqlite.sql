-- Claims executions that are ready, lowest rank first: the first few of each queue, and of these the first few.
-- $1 the host, $2 its queues (a JSON array, null for all), $3 its tags (likewise), $4 how many, $5 now,
-- $6 the newest version of journal entries that it can read, $7 how many losses make a suspect, which is left (null for none).
with recursive names (queue) as (
  select min(queue) from executions where ready = 1
  union all
  select (select min(queue) from executions where ready = 1 and queue > names.queue)
  from names
  where names.queue is not null
),
chosen (id) as (
  select work.id
  from names
  cross join executions as work
  where names.queue is not null
    and ($2 is null or names.queue in (select value from json_each($2)))
    and not exists (select 1 from queues where queues.name = names.queue and queues.paused_at is not null)
    and work.id in (
      select candidate.id
      from executions as candidate
      where candidate.ready = 1
        and candidate.queue = names.queue
        and candidate.journal_version <= $6
        and ($7 is null or candidate.losses < $7)
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
update executions
set
  owner = $1,
  ready = 0,
  visible_at = null,
  state = case when state = 'cancelling' then state else 'running' end,
  started_at = coalesce(started_at, $5)
where id in (select id from chosen)
returning
  id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank, traceparent
