//! From a row back to its entry.

use super::super::entry::{
    Arrival, Body, CommandEntry, Ended, Entry, Event, Recorded, Redrive, RunEntry, RunReason,
    Started,
};
use super::{CodecError, Encoded, Head, VERSION, number, reason_word};
use crate::model::{
    ExecutionId, Failure, ModuleDigest, Name, Outcome, Payload, Promise, Run, Seq, StepUsage,
    Timestamp,
};

/// Reads an entry back from its row.
pub fn decode(
    seq: Seq,
    run: Run,
    recorded_at: Timestamp,
    encoded: Encoded,
) -> Result<Entry, CodecError> {
    let mut reading = Reading::open(encoded)?;
    let noted = reading.head.noted.unwrap_or(0);
    let body = match reading.kind {
        number::STARTED => Body::Started(reading.started()?),
        number::RUN => Body::Run(reading.run()?),
        number::ENDED => Body::Ended(reading.ended()?),
        number::NOTED => Body::Noted,
        number::CALL..=number::CONTINUE_AS_NEW => {
            let after = Seq(reading.head.after.ok_or_else(|| missing("the event before it"))?);
            Body::Command(CommandEntry { after, command: reading.command()? })
        }
        number::SETTLED..=number::EXPIRED => Body::Event(reading.event()?),
        other => return Err(CodecError::Malformed(format!("kind {other} is no entry"))),
    };
    Ok(Entry { seq, run, recorded_at, noted, body })
}

/// Reads an arrival back from its row.
pub fn decode_arrival(run: Run, encoded: Encoded) -> Result<Arrival, CodecError> {
    let mut reading = Reading::open(encoded)?;
    let force = reading.kind == number::CANCEL_BY_FORCE;
    Ok(match reading.event()? {
        Event::Settled { promise, outcome, usage, attempt } => {
            Arrival::Settled { run, promise, outcome, usage, attempt }
        }
        Event::Fired { promise } => Arrival::Fired { promise },
        Event::Received { signal, payload, id } => Arrival::Signal { signal, payload, id },
        Event::CancelRequested { reason } => Arrival::Cancel { reason, force },
        Event::Expired => Arrival::Expired,
    })
}

/// Reads back how a call settled.
pub fn decode_outcome(head: Vec<u8>, data: Option<Vec<u8>>) -> Result<Outcome, CodecError> {
    let kind = number::SETTLED;
    Reading::open(Encoded { kind, promise: None, name: None, head, data })?.outcome()
}

/// A row being read.
struct Reading {
    kind: i16,
    promise: Option<u32>,
    name: Option<String>,
    head: Head,
    data: Option<Vec<u8>>,
}

fn missing(what: &'static str) -> CodecError {
    CodecError::Malformed(format!("{what} is missing"))
}

impl Reading {
    fn open(encoded: Encoded) -> Result<Self, CodecError> {
        let (&version, head) = encoded.head.split_first().ok_or_else(|| missing("the version"))?;
        if version > VERSION {
            return Err(CodecError::Newer(version));
        }
        let head = minicbor::decode(head).map_err(|e| CodecError::Malformed(e.to_string()))?;
        let Encoded { kind, promise, name, data, .. } = encoded;
        Ok(Self { kind, promise, name, head, data })
    }

    fn promise(&self) -> Result<Promise, CodecError> {
        self.promise.map(Promise).ok_or_else(|| missing("the promise"))
    }

    fn name(&self) -> Result<Name, CodecError> {
        let name = self.name.as_deref().ok_or_else(|| missing("the name"))?;
        Name::new(name).map_err(|bad| CodecError::Malformed(bad.to_string()))
    }

    fn payload(&mut self) -> Result<Option<Payload>, CodecError> {
        let text = self.data.take().map(String::from_utf8).transpose();
        let text = text.map_err(|bad| CodecError::Malformed(bad.to_string()))?;
        Ok(text.map(Payload::from_checked))
    }

    fn hash(&self) -> Result<[u8; 16], CodecError> {
        self.head.hash.map(Into::into).ok_or_else(|| missing("the hash"))
    }

    fn bytes<const N: usize>(&self) -> Result<[u8; N], CodecError> {
        let bytes = self.head.bytes.as_ref().ok_or_else(|| missing("an id"))?;
        bytes.as_slice().try_into().map_err(|_length| missing("part of an id"))
    }

    fn outcome(&mut self) -> Result<Outcome, CodecError> {
        let payload = self.payload()?;
        match self.head.failure_kind.take() {
            None => payload.map(Ok).ok_or_else(|| missing("the result")),
            Some(kind) => {
                let message = self.head.message.take().unwrap_or_default();
                Ok(Err(Failure { kind, message, details: payload }))
            }
        }
    }

    fn inputs(&mut self) -> Result<Option<Vec<Payload>>, CodecError> {
        let Some(all) = self.payload()? else { return Ok(None) };
        let lengths = self.head.lengths.as_ref().ok_or_else(|| missing("the lengths"))?;
        let mut rest = all.as_str();
        let mut inputs = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (input, after) =
                rest.split_at_checked(*length as usize).ok_or_else(|| missing("an input"))?;
            inputs.push(Payload::from_checked(input));
            rest = after;
        }
        Ok(Some(inputs))
    }

    fn event(&mut self) -> Result<Event, CodecError> {
        match self.kind {
            number::SETTLED => {
                let usage = self.head.usage.map(StepUsage::from).unwrap_or_default();
                let attempt = self.head.attempt.unwrap_or(0);
                Ok(Event::Settled {
                    promise: self.promise()?,
                    outcome: self.outcome()?,
                    usage,
                    attempt,
                })
            }
            number::FIRED => Ok(Event::Fired { promise: self.promise()? }),
            number::RECEIVED => {
                let payload = self.payload()?.ok_or_else(|| missing("the payload"))?;
                let id = self.head.ids.take().and_then(|ids| ids.into_iter().next());
                Ok(Event::Received { signal: self.name()?, payload, id })
            }
            number::CANCEL_REQUESTED | number::CANCEL_BY_FORCE => {
                let reason = self.head.message.take().unwrap_or_default();
                Ok(Event::CancelRequested { reason })
            }
            number::EXPIRED => Ok(Event::Expired),
            other => Err(CodecError::Malformed(format!("kind {other} is unknown"))),
        }
    }

    fn started(&mut self) -> Result<Started, CodecError> {
        let input = self.payload()?.ok_or_else(|| missing("the input"))?;
        Ok(Started { workflow: self.name()?, input, seed: self.bytes()? })
    }

    fn run(&mut self) -> Result<RunEntry, CodecError> {
        let word = self.head.word.take().ok_or_else(|| missing("the reason"))?;
        let why =
            [RunReason::ContinueAsNew, RunReason::Retry, RunReason::Redrive, RunReason::Upgrade]
                .into_iter()
                .find(|why| reason_word(*why) == word)
                .ok_or_else(|| CodecError::Malformed(format!("reason {word:?} is unknown")))?;
        Ok(RunEntry {
            from: Seq(self.head.from.ok_or_else(|| missing("where it goes on from"))?),
            why,
            module: ModuleDigest::from_bytes(self.bytes()?),
            signal_ids: self.head.ids.take().unwrap_or_default(),
            redrive: self.redrive()?,
        })
    }

    fn redrive(&self) -> Result<Option<Redrive>, CodecError> {
        if self.promise.is_none() {
            return Ok(None);
        }
        let queue = self.name.is_some().then(|| self.name()).transpose()?;
        let (promise, attempts) = (self.promise()?, self.head.attempt.unwrap_or(0));
        Ok(Some(Redrive { promise, queue, attempts }))
    }

    fn ended(&mut self) -> Result<Ended, CodecError> {
        let word = self.head.word.take().ok_or_else(|| missing("the state"))?;
        let state = word
            .parse()
            .map_err(|_unknown| CodecError::Malformed(format!("state {word:?} is unknown")))?;
        let (fuel, unreceived) = (self.head.amount.unwrap_or(0), self.head.count.unwrap_or(0));
        Ok(Ended { state, outcome: self.outcome()?, fuel, unreceived })
    }

    fn command(&mut self) -> Result<Recorded, CodecError> {
        Ok(match self.kind {
            number::CALL => Recorded::Call {
                promise: self.promise()?,
                step: self.name()?,
                hash: self.hash()?,
                input: self.payload()?,
            },
            number::CALL_MANY => Recorded::CallMany {
                promise: self.promise()?,
                step: self.name()?,
                hash: self.hash()?,
                count: self.head.count.ok_or_else(|| missing("the count"))?,
                inputs: self.inputs()?,
            },
            number::START_CHILD => Recorded::StartChild {
                promise: self.promise()?,
                workflow: self.name()?,
                hash: self.hash()?,
                child: ExecutionId::from_bytes(self.bytes()?),
                detached: self.head.flag.unwrap_or(false),
                input: self.payload()?,
            },
            number::SLEEP => Recorded::Sleep {
                promise: self.promise()?,
                milliseconds: self.head.amount.ok_or_else(|| missing("the milliseconds"))?,
                due: Timestamp::from_micros(
                    self.head.due.ok_or_else(|| missing("when it is due"))?,
                ),
            },
            number::RECEIVE => Recorded::Receive { promise: self.promise()?, signal: self.name()? },
            number::CANCEL => {
                let promises = self.head.promises.take().ok_or_else(|| missing("the promises"))?;
                Recorded::Cancel { promises: promises.into_iter().map(Promise).collect() }
            }
            number::CONTINUE_AS_NEW => {
                Recorded::ContinueAsNew { hash: self.hash()?, input: self.payload()? }
            }
            other => return Err(CodecError::Malformed(format!("kind {other} is unknown"))),
        })
    }
}
