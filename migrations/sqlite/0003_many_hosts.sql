-- Several hosts may share a database, though not one like this: the columns are there so that both databases have one shape.

alter table hosts add column session text;
alter table hosts add column steady_since integer;
alter table hosts add column epoch integer not null default 0;
