//! Schedules: when a workflow is to be started, again and again, and what follows when that time has come.
//!
//! All of it is pure. [`Timing`] says which times there are, [`turn`] what becomes of those that have come, [`ScheduleSpec`] is
//! what people write. The foreign parser of cron is used here and nowhere else, and only for the calendar: which instant a time
//! on the wall clock is, is decided in `zone.rs`.

mod cron;
mod schema;
mod spec;
mod timing;
mod turn;
mod zone;

pub use cron::{BadCron, Cron};
pub use spec::{BadSchedule, Overlap, ScheduleSpec};
pub use timing::Timing;
pub use turn::{Due, Failed, Firing, Missed, Progress, Turn, turn};
