-- Nothing runs on a host that is gone. To be asked after its tasks were freed: who drops one of them has done so by then.
-- $1 the host.
delete from stopping_tasks
where owner = $1
returning step_limit, key_limit
