-- Whether there is or was a key: of sessions nothing follows.
select id
from keys
where id not like 's%'
order by id
limit 1
