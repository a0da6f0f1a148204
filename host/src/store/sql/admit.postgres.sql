-- Deletes the arrivals that became entries, or were dropped as repeats. The ids given back are counted: exactly
-- those that were read must go. The value of a row: the id.
delete from inbox
where id = any($1::bigint[])
returning id, execution_id
