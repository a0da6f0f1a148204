-- Writes back what a transaction has decided about executions that it has locked, each of them once.
-- $1 and on, an array each: id, run, state, owner, paused_at, ready, visible_at, inbox_seq,
-- expires_at, base, completed_at, failure_kind, failure, losses.
update executions
set
  run = change.run,
  state = change.state,
  owner = change.owner,
  paused_at = change.paused_at,
  ready = change.ready,
  visible_at = change.visible_at,
  inbox_seq = change.inbox_seq,
  expires_at = change.expires_at,
  base = change.base,
  completed_at = change.completed_at,
  failure_kind = change.failure_kind,
  failure = change.failure,
  losses = change.losses
from unnest(
  $1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
  $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::bigint[]
) as change (id, run, state, owner, paused_at, ready, visible_at, inbox_seq, expires_at,
  base, completed_at, failure_kind, failure, losses)
where executions.id = change.id
returning executions.id
