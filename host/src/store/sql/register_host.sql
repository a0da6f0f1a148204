-- Enters a new incarnation as alive.
-- $1 the host, $2 its name, $3 when its lease ends (null where leases do not), $4 how long a lease is, $5 its version,
-- $6 when it started.
insert into hosts (id, name, alive, lease_ends, lease_micros, version, started_at)
values ($1, $2, 1, $3, $4, $5, $6)
