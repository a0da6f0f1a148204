-- How many schedules there are.
select count(*) as count from schedules
