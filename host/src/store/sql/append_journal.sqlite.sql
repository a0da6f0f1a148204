-- Appends entries to journals. A key that is there already belongs to another writer: the second wall of rule 1.
-- The values of a row: execution_id, seq, run, kind, promise, name, head, data, recorded_at.
insert into journal (
  execution_id, seq, run, kind, promise, name, head, data, recorded_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
