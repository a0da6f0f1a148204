//! What a guest says about itself, in order and within bounds: log lines, what it prints, progress, counters, state.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::model::{Clock, Level, Limits, Name, Note, Payload, Said, printable};

/// Counters, and as many keys of state, that one execution may have.
pub(super) const NAMES_MAX: usize = 256;
/// The longest value of a state, in bytes.
pub(super) const STATE_BYTES_MAX: usize = 64 << 10;
/// The longest line of the timeline, in bytes; what is longer is cut.
const PROGRESS_BYTES_MAX: usize = 1 << 10;
/// The longest printed line, in bytes; what is longer is broken.
const LINE_BYTES_MAX: usize = 8 << 10;
/// What a note costs beside its text, so that a flood of empty ones ends too.
const NOTE_BYTES: usize = 64;
/// Lines of errors that are told with a trap, and the longest of them, in bytes.
const ERRORS_KEPT: usize = 4;
const ERROR_BYTES_MAX: usize = 1 << 10;
/// A guest that says this many times more than is kept is ended.
const PATIENCE: usize = 16;

/// Where a guest prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// A line of it is logged as info.
    Out,
    /// A line of it is logged as a warning.
    Err,
}

/// Why a guest is heard no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Overfull {
    /// It said far more than is kept.
    #[error(
        "it logged or printed more than {0} bytes, of which a sixteenth is kept (log_bytes_max): log less, or return it"
    )]
    Said(usize),
    /// It named too many counters or keys.
    #[error("it uses more than {NAMES_MAX} {what} ({limit}): use one name for many amounts")]
    Names { what: &'static str, limit: &'static str },
}

/// The notes of one attempt, or of one activation since the last wait.
#[derive(Debug)]
pub(super) struct Notebook {
    clock: Arc<dyn Clock>,
    bytes_max: usize,
    said: usize,
    told: bool,
    notes: Vec<Said>,
    counters: BTreeMap<Name, i64>,
    state: BTreeMap<Name, Payload>,
    counter_names: HashSet<Name>,
    state_names: HashSet<Name>,
    out: Vec<u8>,
    err: Vec<u8>,
    last_errors: Vec<String>,
}

impl Notebook {
    pub(super) fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            bytes_max: limits.log_bytes_max,
            said: 0,
            told: false,
            notes: Vec::new(),
            counters: BTreeMap::new(),
            state: BTreeMap::new(),
            counter_names: HashSet::new(),
            state_names: HashSet::new(),
            out: Vec::new(),
            err: Vec::new(),
            last_errors: Vec::new(),
        }
    }

    /// A line of the log.
    pub(super) fn log(
        &mut self,
        level: Level,
        message: &str,
        fields: Payload,
    ) -> Result<(), Overfull> {
        if level == Level::Error {
            self.remember_error(message);
        }
        if self.keeps(message.len() + fields.bytes())? {
            let message = printable(message);
            self.say(Note::Log { level, message, fields });
        }
        Ok(())
    }

    /// A line of the timeline.
    pub(super) fn progress(&mut self, text: &str) -> Result<(), Overfull> {
        let text = &text[..text.floor_char_boundary(PROGRESS_BYTES_MAX)];
        if self.keeps(text.len())? {
            self.say(Note::Progress { text: printable(text) });
        }
        Ok(())
    }

    /// Adds to a counter; what is added to one between two waits is one note.
    pub(super) fn count(&mut self, name: Name, amount: i64) -> Result<(), Overfull> {
        known(&mut self.counter_names, &name, ("counters", "counters_max"))?;
        let counter = self.counters.entry(name).or_default();
        *counter = counter.saturating_add(amount);
        Ok(())
    }

    /// Sets a value; of those set between two waits, the last counts.
    pub(super) fn set(&mut self, key: Name, value: Payload) -> Result<(), Overfull> {
        known(&mut self.state_names, &key, ("keys of state", "state_keys_max"))?;
        self.state.insert(key, value);
        Ok(())
    }

    /// Takes what was printed; whole lines become notes.
    pub(super) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Overfull> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = self.line(stream);
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.len() >= LINE_BYTES_MAX {
                self.end_line(stream)?;
            }
        }
        Ok(())
    }

    /// Takes the notes. A line that is not ended stays.
    pub(super) fn take(&mut self) -> Vec<Said> {
        for (name, amount) in std::mem::take(&mut self.counters) {
            self.say(Note::Counter { name, amount });
        }
        for (key, value) in std::mem::take(&mut self.state) {
            self.say(Note::State { key, value });
        }
        std::mem::take(&mut self.notes)
    }

    /// Takes the lines of log and progress that are there, which count whatever becomes of their attempt.
    pub(super) fn take_lines(&mut self) -> Vec<Said> {
        let is_line = |said: &mut Said| said.note.survives_failure();
        self.notes.extract_if(.., is_line).collect()
    }

    fn say(&mut self, note: Note) {
        self.notes.push(Said { at: self.clock.now(), note });
    }

    /// Takes all of it at the end of the guest, with lines that were not ended.
    pub(super) fn take_last(&mut self) -> Vec<Said> {
        // It ends anyway: that the last line is too much does not matter any more.
        let _ended = self.end_line(Stream::Out).and_then(|()| self.end_line(Stream::Err));
        self.take()
    }

    /// The last lines that it printed to stderr or logged as errors: there a panic says what it was.
    pub(super) fn last_errors(&self) -> &[String] {
        &self.last_errors
    }

    fn line(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }

    fn end_line(&mut self, stream: Stream) -> Result<(), Overfull> {
        let bytes = std::mem::take(self.line(stream));
        if bytes.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let level = match stream {
            Stream::Out => Level::Info,
            Stream::Err => Level::Warn,
        };
        if stream == Stream::Err {
            self.remember_error(text);
        }
        self.log(level, text, Payload::null())
    }

    fn remember_error(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(ERROR_BYTES_MAX)];
        self.last_errors.push(printable(text));
        let old = self.last_errors.len().saturating_sub(ERRORS_KEPT);
        self.last_errors.drain(..old);
    }

    /// Whether something of that length is still kept.
    fn keeps(&mut self, bytes: usize) -> Result<bool, Overfull> {
        self.said = self.said.saturating_add(bytes + NOTE_BYTES);
        if self.said <= self.bytes_max {
            return Ok(true);
        }
        if self.said > self.bytes_max.saturating_mul(PATIENCE) {
            return Err(Overfull::Said(self.bytes_max.saturating_mul(PATIENCE)));
        }
        if !std::mem::replace(&mut self.told, true) {
            let message = format!(
                "the log is full: what comes after its first {} bytes is dropped (log_bytes_max)",
                self.bytes_max
            );
            self.say(Note::Log { level: Level::Warn, message, fields: Payload::null() });
        }
        Ok(false)
    }
}

fn known(
    names: &mut HashSet<Name>,
    name: &Name,
    (what, limit): (&'static str, &'static str),
) -> Result<(), Overfull> {
    if !names.contains(name) {
        if names.len() >= NAMES_MAX {
            return Err(Overfull::Names { what, limit });
        }
        names.insert(name.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(log_bytes_max: usize) -> Notebook {
        let clock = Arc::new(crate::model::SystemClock::new());
        Notebook::new(&Limits { log_bytes_max, ..Limits::for_cores(1) }, clock)
    }

    fn messages(notes: &[Said]) -> Vec<String> {
        let message = |said: &Said| match &said.note {
            Note::Log { message, .. } => Some(message.clone()),
            Note::Progress { .. } | Note::Counter { .. } | Note::State { .. } => None,
        };
        notes.iter().filter_map(message).collect()
    }

    #[test]
    fn what_is_printed_becomes_lines_without_control_characters() {
        let mut notebook = notebook(10_000);

        notebook.print(Stream::Out, b"one\ntw").unwrap();
        notebook.print(Stream::Out, b"o \x1b[31mred\nrest").unwrap();

        assert_eq!(messages(&notebook.take()), ["one", "two [31mred"]);
        assert_eq!(messages(&notebook.take_last()), ["rest"]);
    }

    #[test]
    fn what_goes_beyond_the_limit_is_dropped_and_the_log_says_so() {
        let mut notebook = notebook(200);

        for _ in 0..5 {
            notebook.log(Level::Info, "x", Payload::null()).unwrap();
        }

        let notes = notebook.take();
        assert_eq!(notes.len(), 3);
        assert!(messages(&notes)[2].contains("log_bytes_max"));
    }

    #[test]
    fn a_flood_ends_the_guest() {
        let mut notebook = notebook(200);

        let flooded = (0..100).find_map(|_| notebook.print(Stream::Err, b"\n").err());

        assert_eq!(flooded, Some(Overfull::Said(3_200)));
    }

    #[test]
    fn too_many_names_are_refused_by_the_name_of_their_limit() {
        let mut notebook = notebook(200);
        let name = |number: usize| Name::new(&format!("n{number}")).unwrap();

        let counted = (0..=NAMES_MAX).find_map(|n| notebook.count(name(n), 1).err());
        let set = (0..=NAMES_MAX).find_map(|n| notebook.set(name(n), Payload::null()).err());

        assert!(counted.unwrap().to_string().contains("256 counters (counters_max)"));
        assert!(set.unwrap().to_string().contains("256 keys of state (state_keys_max)"));
    }

    #[test]
    fn a_counter_is_one_note_however_often_it_is_added_to() {
        let mut notebook = notebook(200);
        let name = Name::new("n").unwrap();

        (0..1_000).for_each(|_| notebook.count(name.clone(), 2).unwrap());

        let notes: Vec<_> = notebook.take().into_iter().map(|said| said.note).collect();
        assert_eq!(notes, [Note::Counter { name, amount: 2_000 }]);
    }
}
