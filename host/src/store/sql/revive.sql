-- What only the beginning of another run changes in an execution's row. Its time is counted again.
-- $1 the execution, $2 the module, $3 now.
update executions
set
  module_digest = $2,
  expires_at = case when max_duration is null then null else $3 + max_duration end
where id = $1
