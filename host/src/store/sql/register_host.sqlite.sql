-- Enters a new incarnation as alive.
-- $1 the host, $2 its name, $3 how long a lease is (null where leases do not end), $4 its version, $5 when it started,
-- $6 what its connections are called; $7 says something of other hosts, of which there are none; $8 the queues it
-- serves (a JSON array, null for all), $9 its tags (likewise).
insert into hosts (id, name, alive, lease_ends, lease_micros, version, started_at, session, steady_since, queues, tags)
select $1, $2, 1, $5 + $3, $3, $4, $5, $6, $5, $8, $9
where $7 is not null
