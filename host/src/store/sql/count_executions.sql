-- How many executions there are in each state, and how many of these are in some host's hands. Those are read by their own
-- index: they are few, whatever lies parked.
with held (state) as materialized (
  select state
  from executions
  where owner is not null
)
select
  executions.state,
  count(*) as count,
  (select count(*) from held where held.state = executions.state) as held
from executions
group by executions.state
order by executions.state
