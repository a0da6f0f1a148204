-- Puts an execution of a host aside without reading it: what lies there cannot be read.
-- $1 the execution, $2 the host, $3 the kind of the failure, $4 the failure.
update executions
set
  state = 'blocked',
  owner = null,
  ready = 0,
  visible_at = null,
  failure_kind = $3,
  failure = $4
where id = $1
  and owner = $2
