-- Adds lines to logs. A line of progress has no level.
-- The values of a row: execution_id, run, step, promise, attempt, at, level, message, fields, attempt_began_at.
insert into logs (
  execution_id, run, step, promise, attempt, at, level, message, fields, attempt_began_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
