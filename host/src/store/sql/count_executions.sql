-- How many executions there are in each state.
select state, count(*)
from executions
group by state
order by state
