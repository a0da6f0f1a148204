-- How far back a page may read by each index that can lead it: the last row that it may look at. An index that has fewer rows
-- there is not named.
-- $1 in which state, $2 of which workflow, $3 in which queue, $4 of which parent, $5 of which module, $6 failed with which kind,
-- $7 with which tag; nothing comes back for what is null. $8 none from before, $9 and $10 only those before this time and id,
-- $11 how many may be looked at before that one.
select * from (
  select 'parent' as lead, created_at, id
  from executions
  where parent_id = $4
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_parent
union all
select * from (
  select 'tag' as lead, created_at, execution_id as id
  from execution_tags
  where tag = $7
    and created_at >= $8
    and (created_at, execution_id) < ($9, $10)
  order by created_at desc, execution_id desc
  limit 1
  offset $11
) as by_tag
union all
select * from (
  select 'failure' as lead, created_at, id
  from executions
  where failure_kind = $6
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_failure
union all
select * from (
  select 'workflow_state' as lead, created_at, id
  from executions
  where workflow = $2
    and state = $1
    and state <> 'running'
    and state <> 'completed'
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_workflow_state
union all
select * from (
  select 'queue_state' as lead, created_at, id
  from executions
  where queue = $3
    and state = $1
    and state <> 'running'
    and state <> 'completed'
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_queue_state
union all
select * from (
  select 'module_state' as lead, created_at, id
  from executions
  where module_digest = $5
    and state = $1
    and state <> 'running'
    and state <> 'completed'
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_module_state
union all
select * from (
  select 'workflow' as lead, created_at, id
  from executions
  where workflow = $2
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_workflow
union all
select * from (
  select 'module' as lead, created_at, id
  from executions
  where module_digest = $5
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_module
union all
select * from (
  select 'queue' as lead, created_at, id
  from executions
  where queue = $3
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_queue
union all
select * from (
  select 'state' as lead, created_at, id
  from executions
  where state = $1
    and created_at >= $8
    and (created_at, id) < ($9, $10)
  order by created_at desc, id desc
  limit 1
  offset $11
) as by_state
