-- Removes incarnations that are dead for long. None of them owns anything: that was freed when they died.
-- $1 before when their lease must have ended, or they begun where leases do not end, $2 how many at most.
delete from hosts
where id in (
  select id
  from hosts
  where alive = 0
    and coalesce(lease_ends, started_at) < $1
  order by started_at
  limit $2
)
