-- How many lines of the log would be removed.
-- $1 before when they must have been said.
select count(*)
from logs
where at < $1
