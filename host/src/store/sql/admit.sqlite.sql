-- Deletes the arrivals that became entries, or were dropped as repeats. The ids given back are counted: exactly
-- those that were read must go. The value of a row: the id.
delete from inbox
where id in (values (?))
returning id, execution_id
