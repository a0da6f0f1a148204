-- Grants something to the modules of a name, in place of what was granted to them before.
-- $1 the name, $2 the capabilities as JSON, $3 who, $4 now.
insert into grants (module, granted, granted_by, granted_at)
values ($1, $2, $3, $4)
on conflict (module) do update
set granted = excluded.granted,
  granted_by = excluded.granted_by,
  granted_at = excluded.granted_at
