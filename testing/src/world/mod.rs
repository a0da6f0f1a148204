//! What a test host holds: executions, steps under way, and the time; and the one loop that lets things happen.
//!
//! One thing happens at a time: a workflow wakes, an attempt begins, an end or a signal arrives, a timer fires. Time moves
//! only where nothing is left to happen. What a durable host writes is written here too, entry by entry into journals in
//! memory, so that the host can die after any entry and go on from what was written.

mod arrive;
mod life;
mod turn;
mod work;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

pub use life::LogLine;
pub(crate) use life::{Birth, Life, Parent, value};
pub use work::DeadLetter;

use stepwell::journal::Arrival;
use stepwell::model::{ExecutionId, Name, Payload, Timestamp};

use self::work::Flights;
use crate::clock::BEGINNING;
use crate::cue::{Cue, Deed, Moment};
use crate::load::Stage;
use crate::order::Order;
use crate::steps::{Attempt, Scripts};

/// The host is dead, and all that was in memory is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Died;

/// What becomes of the host at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    Dies,
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stage: Rc<Stage>,
    pub(crate) scripts: Scripts,
    pub(crate) order: Order,
    pub(crate) began: Timestamp,
    pub(crate) now: Timestamp,
    /// In the order of their births.
    pub(crate) lives: Vec<Life>,
    places: HashMap<ExecutionId, usize>,
    pub(crate) flights: Flights,
    pub(crate) attempts: Vec<Attempt>,
    /// How many attempts of a step were made.
    made: BTreeMap<Name, u32>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    cues: Vec<(Moment, Timestamp, Deed)>,
    /// Entries in all journals.
    pub(crate) recorded: u64,
    crash_at: Option<u64>,
    pub(crate) crashes: u64,
    /// Instances that are kept while they wait.
    pub(crate) hot_max: usize,
    waits: u64,
}

impl World {
    pub(crate) fn new(stage: Rc<Stage>, scripts: Scripts, order: Order, hot_max: usize) -> Self {
        Self {
            stage,
            scripts,
            order,
            began: BEGINNING,
            now: BEGINNING,
            lives: Vec::new(),
            places: HashMap::new(),
            flights: Flights::default(),
            attempts: Vec::new(),
            made: BTreeMap::new(),
            dead_letters: Vec::new(),
            cues: Vec::new(),
            recorded: 0,
            crash_at: None,
            crashes: 0,
            hot_max,
            waits: 0,
        }
    }

    /// The host will die when so many entries are written.
    pub(crate) fn die_at(&mut self, entries: u64) {
        self.crash_at = Some(entries);
    }

    pub(crate) fn find(&self, id: ExecutionId) -> Option<&Life> {
        self.places.get(&id).map(|place| &self.lives[*place])
    }

    fn life(&mut self, id: ExecutionId) -> &mut Life {
        let place = self.places.get(&id).copied();
        &mut self.lives[place.expect("whoever has an id has it from a life")]
    }

    /// A new execution that nobody started from a workflow.
    pub(crate) fn start(&mut self, workflow: Name, input: Payload) -> ExecutionId {
        let number = self.lives.len() as u128 + 1;
        let id = ExecutionId::from_bytes((0x8000_0000_u128 << 32 | number).to_be_bytes());
        self.start_as(id, workflow, input);
        id
    }

    /// The same under an id that nobody has.
    pub(crate) fn start_as(&mut self, id: ExecutionId, workflow: Name, input: Payload) {
        let spec = self.stage.manifest.workflow(workflow.as_str());
        let max_duration = spec.and_then(|spec| spec.options.max_duration);
        let (start_at, expires_at) = (self.now, max_duration.map(|most| self.now + most));
        let seed = self.seed();
        self.bear(Birth { id, workflow, input, parent: None, start_at, expires_at, seed });
    }

    fn bear(&mut self, birth: Birth) {
        self.places.insert(birth.id, self.lives.len());
        self.lives.push(Life::new(birth, self.now));
        self.recorded += 1;
    }

    /// The randomness of an execution: another for each, and for each seed of the host.
    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(self.lives.len() as u64).to_be_bytes());
        seed[8..16].copy_from_slice(&self.order.seed().unwrap_or(0).to_be_bytes());
        seed
    }

    /// Something for an execution that has not ended. False: it has.
    pub(crate) fn send(&mut self, id: ExecutionId, arrival: Arrival) -> bool {
        let life = self.life(id);
        if life.state.is_terminal() {
            return false;
        }
        life.inbox.push_back(arrival);
        true
    }

    /// Lets one thing happen at this time. False: there is nothing.
    pub(crate) fn step(&mut self) -> bool {
        self.stage.clock.set(self.now);
        self.happen().unwrap_or_else(|Died| {
            self.crash();
            true
        })
    }

    fn happen(&mut self) -> Result<bool, Died> {
        if self.do_what_is_due()? {
            return Ok(true);
        }
        // Where memory is full, whoever is in memory goes first.
        if self.hot() > self.hot_max && self.deliver_next()? {
            return Ok(true);
        }
        let asleep: Vec<_> =
            self.lives.iter().filter(|life| self.must_wake(life)).map(|life| life.id).collect();
        if !asleep.is_empty() {
            let first = asleep[self.order.choose(asleep.len())];
            self.activate(first)?;
            return Ok(true);
        }
        if self.begin_next_attempt()? {
            return Ok(true);
        }
        self.deliver_next()
    }

    fn must_wake(&self, life: &Life) -> bool {
        let has_end = || self.flights.has_end_of(life.id, self.now);
        life.must_wake(self.now) || (life.parked.is_some() && !life.is_over() && has_end())
    }

    /// When the next thing is due that is not due yet.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let lives = self.lives.iter().filter_map(Life::next_due);
        let cues = self.cues.iter().filter_map(|(moment, given, _)| match moment {
            Moment::Passed(time) => Some(*given + *time),
            Moment::Begun(_) | Moment::Settled(_) | Moment::Recorded(_) => None,
        });
        lives.chain(cues).chain(self.flights.next_due()).filter(|at| *at > self.now).min()
    }

    /// Moves the time forward.
    pub(crate) fn wait_until(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        self.stage.clock.set(self.now);
    }

    pub(crate) fn since_beginning(&self, at: Timestamp) -> Duration {
        at.since(self.began)
    }

    /// The host dies: what was in memory is gone, and steps that ran are made again.
    pub(crate) fn crash(&mut self) {
        self.crashes += 1;
        self.lives.iter_mut().for_each(Life::die);
        self.flights.lose(self.now);
    }

    /// Has something done when something happens.
    pub(crate) fn when(&mut self, cue: Cue, deed: Deed) {
        self.cues.push((cue.0, self.now, deed));
    }

    fn do_what_is_due(&mut self) -> Result<bool, Died> {
        let now = self.now;
        let due = self.cues.iter().position(
            |(moment, given, _)| matches!(moment, Moment::Passed(time) if *given + *time <= now),
        );
        let Some(place) = due else { return Ok(false) };
        let (_, _, deed) = self.cues.remove(place);
        match self.perform(deed) {
            Fate::Lives => Ok(true),
            Fate::Dies => Err(Died),
        }
    }

    /// Does what was to be done at this moment.
    fn reach(&mut self, moment: &Moment) -> Fate {
        let mut fate = Fate::Lives;
        while let Some(place) = self.cues.iter().position(|(wanted, _, _)| wanted == moment) {
            let (_, _, deed) = self.cues.remove(place);
            if self.perform(deed) == Fate::Dies {
                fate = Fate::Dies;
            }
        }
        fate
    }

    fn perform(&mut self, deed: Deed) -> Fate {
        match deed {
            Deed::Crash => return Fate::Dies,
            Deed::Signal { execution, name, payload } => {
                if let Ok(signal) = Name::new(&name) {
                    let payload = Payload::of(&payload);
                    self.send(execution, Arrival::Signal { signal, payload, id: None });
                }
            }
            Deed::Cancel { execution, reason } => {
                self.send(execution, Arrival::Cancel { reason, force: false });
            }
        }
        Fate::Lives
    }
}
