-- Nothing is under way where there is one writer; the epoch is raised as it is elsewhere. Nothing comes back where the host is
-- dead.
-- $1 the host.
update hosts
set epoch = epoch + 1
where id = $1
  and alive = 1
returning epoch
