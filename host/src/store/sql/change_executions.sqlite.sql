-- Writes back what a transaction has decided about executions that it has locked, each of them once.
-- The values of a row: id, run, state, owner, paused_at, ready, visible_at, inbox_seq,
-- expires_at, base, completed_at, failure_kind, failure, losses.
with change (id, run, state, owner, paused_at, ready, visible_at, inbox_seq, expires_at,
  base, completed_at, failure_kind, failure, losses) as (
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
)
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
from change
where executions.id = change.id
returning executions.id
