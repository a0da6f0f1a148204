-- Adds arrivals to inboxes; the same transaction raises `inbox_seq`.
-- The values of a row: execution_id, run, kind, promise, name, head, data, created_at.
insert into inbox (
  execution_id, run, kind, promise, name, head, data, created_at
)
values (?, ?, ?, ?, ?, ?, ?, ?)
