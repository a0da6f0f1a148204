//! Lines for the execution's log: `error!`, `warn!`, `info!`, `debug!`, `trace!`.
//!
//! The message is as in `format!`; fields, where there are any, come first and can be searched:
//!
//! ```no_run
//! # extern crate stepwell_sdk as stepwell;
//! # fn main() {
//! # let (order, cents) = ("o-1", 4_200);
//! stepwell::log::info!("charged");
//! stepwell::log::warn!(order = order, cents = cents; "the card of {order} was charged twice");
//! # }
//! ```

pub use crate::{
    __debug as debug, __error as error, __info as info, __trace as trace, __warn as warn,
};

/// A line of any level.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($field:ident = $value:expr),+ ; $($message:tt)+) => {
        $crate::context::log(
            $crate::context::Level::$level,
            &::std::format!($($message)+),
            $crate::__private::serde_json::json!({ $(::core::stringify!($field): $value),+ }),
        )
    };
    ($level:ident, $($message:tt)+) => {
        $crate::context::log(
            $crate::context::Level::$level,
            &::std::format!($($message)+),
            $crate::__private::serde_json::json!({}),
        )
    };
}

/// Someone must act.
#[doc(hidden)]
#[macro_export]
macro_rules! __error { ($($line:tt)+) => { $crate::__log!(Error, $($line)+) }; }

/// It was got over.
#[doc(hidden)]
#[macro_export]
macro_rules! __warn { ($($line:tt)+) => { $crate::__log!(Warn, $($line)+) }; }

/// An event of its life.
#[doc(hidden)]
#[macro_export]
macro_rules! __info { ($($line:tt)+) => { $crate::__log!(Info, $($line)+) }; }

/// For whoever looks for a fault.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug { ($($line:tt)+) => { $crate::__log!(Debug, $($line)+) }; }

/// Every single thing.
#[doc(hidden)]
#[macro_export]
macro_rules! __trace { ($($line:tt)+) => { $crate::__log!(Trace, $($line)+) }; }
