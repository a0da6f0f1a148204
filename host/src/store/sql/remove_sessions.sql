-- Removes the keys of sessions that were opened before then: they have ended.
-- $1 before when.
delete from keys
where id like 's%'
  and created_at < $1
