-- Removes dead letters. The ids given back are those that were there. The value of a row: the id.
delete from dead_letters
where id in (values (?))
returning id
