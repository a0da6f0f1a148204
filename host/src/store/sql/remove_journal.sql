-- Removes entries of an execution that is removed, the first ones first.
-- $1 the execution, $2 how many at most.
delete from journal
where execution_id = $1
  and seq in (
    select seq
    from journal
    where execution_id = $1
    order by seq
    limit $2
  )
