-- Executions belong to traces, and payloads may be sealed.

-- The trace that an execution was started in, as the W3C writes it: whoever runs a part of it tells a span of that trace.

alter table executions add column traceparent text;

-- The keys under which payloads are sealed: a host that has not all of them would take what it cannot read for broken rows, so it
-- does not start. `proof` is the id, sealed.
create table sealing_keys (
  id text not null primary key,
  proof blob not null
) strict;
