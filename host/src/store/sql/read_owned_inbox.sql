-- How many arrivals an execution of a host ever had, when it was paused, and those that lie in its inbox, in their order; one row of nulls where
-- there is none, no row where the host does not own it.
-- $1 the execution, $2 the host.
select executions.inbox_seq, executions.paused_at, inbox.id, inbox.run, inbox.kind, inbox.promise, inbox.name, inbox.head, inbox.data
from executions
left join inbox on inbox.execution_id = executions.id
where executions.id = $1
  and executions.owner = $2
order by inbox.id
