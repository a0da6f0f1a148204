-- How many tasks wait and run in each queue.
-- $1 how many queues at most.
select queue, count(*) - count(owner), count(owner)
from tasks
group by queue
order by queue
limit $1
