-- Makes the tasks of dead hosts ready for any other: each counts one loss, not an attempt.
-- $1 now.
update tasks
set
  owner = null,
  ready = 1,
  visible_at = $1,
  losses = losses + 1
where owner in (select id from hosts where alive = 0)
