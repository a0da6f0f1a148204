//! The W3C trace context that a step's requests carry.

use sha2::{Digest, Sha256};

use super::StepCall;

/// The `traceparent` of a request of an attempt: the trace is the execution, by its id, and the parent span is the attempt.
pub fn traceparent(call: &StepCall) -> String {
    let trace = u128::from_be_bytes(*call.execution.as_bytes());
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"stepwell:span:")
        .chain_update(call.execution.as_bytes())
        .chain_update(call.run.0.to_be_bytes())
        .chain_update(call.promise.0.to_be_bytes())
        .chain_update(call.attempt.to_be_bytes())
        .finalize()
        .into();
    let span = hash.first_chunk().map_or(1, |half| u64::from_be_bytes(*half)).max(1);
    format!("00-{:032x}-{span:016x}-01", trace.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{ExecutionId, Name, Payload, Promise, Run, Timestamp};

    fn call(attempt: u32) -> StepCall {
        StepCall {
            execution: ExecutionId::from_bytes([7; 16]),
            run: Run(0),
            workflow: Name::new("w").unwrap(),
            promise: Promise(3),
            step: Name::new("s").unwrap(),
            input: Payload::null(),
            attempt,
            timeout: Duration::from_secs(1),
            deadline: Timestamp::from_micros(1),
            last_heartbeat: None,
        }
    }

    #[test]
    fn the_trace_is_the_execution_and_each_attempt_a_span_of_it() {
        let (first, second) = (traceparent(&call(1)), traceparent(&call(2)));

        assert!(first.starts_with("00-07070707070707070707070707070707-"));
        assert_eq!(first.len(), 55);
        assert_ne!(first, second);
        assert_eq!(first, traceparent(&call(1)));
    }
}
