-- How many dead letters would be removed.
-- $1 before when they must have been made.
select count(*)
from dead_letters
where created_at < $1
