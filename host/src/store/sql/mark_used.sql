-- Remembers when a key was last used, unless that is known by the minute.
-- $1 its id, $2 when, $3 a minute before.
update keys
set last_used_at = $2
where id = $1
  and (last_used_at is null or last_used_at < $3)
