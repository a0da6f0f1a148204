//! What the values of flags are held to.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::model::{BadDuration, Lease, Limits, parse_duration};

pub(super) fn connections(text: &str) -> Result<u32, String> {
    let count: u32 = text.parse().map_err(|_no_number| "it must be a number".to_owned())?;
    if (2..=1_000).contains(&count) { Ok(count) } else { Err("it must be 2 to 1000".to_owned()) }
}

pub(super) fn lease(text: &str) -> Result<Lease, String> {
    let length = parse_duration(text).map_err(|bad| bad.to_string())?;
    Lease::new(length).ok_or_else(|| "it must be 3s to 10m".to_owned())
}

/// Each instance costs kernel mappings, and the system's bound on those fails everything at once.
pub(super) fn hot_max(text: &str) -> Result<usize, String> {
    let most = Limits::for_cores(1).hot_max;
    let count: usize = text.parse().map_err(|_no_number| "it must be a number".to_owned())?;
    if count > most { Err(format!("it must be {most} at most")) } else { Ok(count) }
}

pub(super) fn one_or_more(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_none| "it must be 1 or more".to_owned())
}

/// More often would be no retention but a load.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|bad| bad.to_string())?;
    let is_sane = interval >= Duration::from_secs(1);
    is_sane.then_some(interval).ok_or_else(|| "it must be 1s or more".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, BadDuration> {
    parse_duration(text)
}
