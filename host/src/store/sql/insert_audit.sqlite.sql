-- Adds entries to the audit log.
-- The values of a row: at, key_id, action, subject, detail.
insert into audit (at, key_id, action, subject, detail)
values (?, ?, ?, ?, ?)
