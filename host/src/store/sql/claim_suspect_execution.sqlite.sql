-- Claims one execution that is ready and that its hosts were lost under: of those with the fewest losses the lowest rank.
-- $1 the host, $2 its queues (a JSON array, null for all), $3 its tags (likewise), $4 from how many losses on, $5 now,
-- $6 the newest version of journal entries that it can read.
update executions
set
  owner = $1,
  ready = 0,
  visible_at = null,
  state = case when state = 'cancelling' then state else 'running' end,
  started_at = coalesce(started_at, $5)
where id = (
  select candidate.id
  from executions as candidate
  where candidate.ready = 1
    and candidate.losses > 0
    and candidate.losses >= $4
    and candidate.journal_version <= $6
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
  id, run, workflow, module_digest, state, paused_at, queue, tags, priority, parent_id, parent_run,
  parent_promise, parent_detached, expires_at, base, losses, created_at, started_at, completed_at, failure,
  inbox_seq, owner, visible_at, rank, traceparent
