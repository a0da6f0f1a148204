-- The trace that an execution was started in, as the W3C writes it: whoever runs a part of it tells a span of that trace.

alter table executions add column traceparent text;
