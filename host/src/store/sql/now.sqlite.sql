-- The clock of the database, in microseconds since 1970.
select cast(unixepoch('subsec') * 1000000 as integer) as now
