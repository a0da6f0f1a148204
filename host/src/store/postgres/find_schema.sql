-- Whether the schema that tables are made in has ours, and whether another program has taken the names of our tables.
select
  exists (
    select 1 from pg_catalog.pg_class
    where relnamespace = to_regnamespace(current_schema()) and relname = 'stepwell_schema'
  ),
  exists (
    select 1 from pg_catalog.pg_class
    where relnamespace = to_regnamespace(current_schema()) and relname in ('executions', 'journal')
  )
