-- Several hosts share one database: a lease is judged by others, and what many hosts write at once is tidied more often.
--
-- `session` is what the connections of a host's process are called, so that whoever declares it dead can end them;
-- `steady_since` is since when the database is known to have answered some host without a gap; `epoch` is raised where a
-- commit was lost, so that it cannot be made any more.

alter table hosts add column session text;
alter table hosts add column steady_since bigint;
alter table hosts add column epoch bigint not null default 0;

create index hosts_expire on hosts (lease_ends) where alive = 1 and lease_ends is not null;

-- Rows of these live for moments, and a claim passes by the dead ones until they are gone.
alter table executions set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, fillfactor = 80);
alter table tasks set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table inbox set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table hosts set (autovacuum_vacuum_threshold = 50, fillfactor = 50);
