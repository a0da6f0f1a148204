-- Grants something to the modules of a name, in place of what was granted to them before, unless that is another by now.
-- $1 the name, $2 the capabilities as JSON, $3 who, $4 now, $5 when the one before was granted (null for none).
insert into grants (module, granted, granted_by, granted_at)
values ($1, $2, $3, $4)
on conflict (module) do update
set granted = excluded.granted,
  granted_by = excluded.granted_by,
  granted_at = excluded.granted_at
where grants.granted_at = cast($5 as bigint)
