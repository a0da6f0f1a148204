-- What there is to say of the server and its database: version, size in bytes, clock in microseconds since 1970, connections
-- that are open, and how many there may be.
select
  current_setting('server_version'),
  pg_database_size(current_database()),
  (extract(epoch from clock_timestamp()) * 1000000)::bigint,
  (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'),
  current_setting('max_connections')::bigint
