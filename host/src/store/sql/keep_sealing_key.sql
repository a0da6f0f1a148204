-- Notes a key under which something is sealed from now on.
-- $1 its id, $2 what shows that a key of that id is this one.
insert into sealing_keys (id, proof)
values ($1, $2)
on conflict (id) do nothing
