-- Everything a workflow needs: limits across the cluster, results that answer later calls, schedules, what a module was
-- granted, retention. Each section below is of one of them.

