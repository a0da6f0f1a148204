-- Locks the hosts whose lease has ended, so that they are dead wholly before or wholly after each of their commits. Nothing
-- comes back unless the database is known to have answered for a whole lease, the one who asks among others: after an outage
-- everybody's lease has ended.
-- $1 who asks, $2 how many at most, $3 how long ago the last renewal of the one who asks may be.
select host.id, host.name
from hosts as host
where host.alive = 1
  and host.id <> $1
  and host.lease_ends is not null
  and host.lease_ends < (extract(epoch from clock_timestamp()) * 1000000)::bigint
  and exists (
    select 1
    from hosts as mine
    where mine.id = $1
      and mine.lease_ends - mine.lease_micros >= (extract(epoch from clock_timestamp()) * 1000000)::bigint - $3::bigint
      and mine.steady_since <= (extract(epoch from clock_timestamp()) * 1000000)::bigint - mine.lease_micros
  )
order by host.id
limit $2
for update of host
