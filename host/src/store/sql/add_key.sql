-- Adds a key.
-- $1 its id, $2 its name, $3 the hash of its secret, $4 what it may as JSON, $5 now.
insert into keys (id, name, hash, scopes, created_at)
values ($1, $2, $3, $4, $5)
