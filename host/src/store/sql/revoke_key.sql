-- Revokes a key. One that is revoked stays as it is.
-- $1 its id, $2 now.
update keys
set revoked_at = coalesce(revoked_at, $2)
where id = $1
