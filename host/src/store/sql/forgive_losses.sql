-- Begins to count an execution's losses anew: a person has had it go on.
-- $1 the execution.
update executions
set losses = 0
where id = $1
