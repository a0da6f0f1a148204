-- Removes a schedule. What it has started goes on.
-- $1 its name.
delete from schedules
where name = $1
