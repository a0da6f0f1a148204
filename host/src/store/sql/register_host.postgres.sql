-- Enters a new incarnation as alive. Where another host renewed its lease a moment ago, the database has answered since
-- whenever that one says.
-- $1 the host, $2 its name, $3 how long a lease is, $4 its version, $5 when it started, $6 what its connections are called,
-- $7 how long ago such a renewal may be at most, $8 the queues it serves (a JSON array, null for all), $9 its tags (likewise).
insert into hosts (id, name, alive, lease_ends, lease_micros, version, started_at, session, steady_since, queues, tags)
select
  $1, $2, 1, clock.now + $3::bigint, $3::bigint, $4, $5, $6,
  coalesce(
    (
      select min(peer.steady_since)
      from hosts as peer
      where peer.alive = 1
        and peer.lease_ends - peer.lease_micros >= clock.now - $7::bigint
    ),
    clock.now
  ),
  $8, $9
from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now) as clock
