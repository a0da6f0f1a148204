//! What a module usually wants: `use stepwell::prelude::*;`.

pub use futures::future::{join_all, try_join_all};
pub use futures::stream::{FuturesUnordered, StreamExt};
pub use futures::{join, try_join};

pub use crate::{
    Call, Child, Failure, IntoDuration, Retry, Saga, bail, continue_as_new, drain, map,
    map_outcomes, receive, saga, select, sleep, timeout,
};
