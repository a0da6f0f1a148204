-- Has the detached children that still count report to the next run. The others were stopped with the run that started
-- them, and the next run starts its own; or that run has not ended, and the next one hears them as they are.
-- $1 the execution, $2 its run until now, $3 the next, $4 the first promise that no longer counts.
update executions
set parent_run = $3
where parent_id = $1
  and parent_run = $2
  and parent_promise < $4
  and parent_detached = 1
