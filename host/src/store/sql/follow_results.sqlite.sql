-- Says of results that another task leads that somebody waits for them: those given back. The value of a row: the key.
update results
set awaited = 1
where key in (values (?))
  and state = 'running'
returning key
