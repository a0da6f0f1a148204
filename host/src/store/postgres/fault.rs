//! What an error of the driver means for whoever asked.

use sqlx::Error;

use crate::store::dialect::Fault;
use crate::store::error::StoreError;

/// The classes and codes of Postgres (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) that say something
/// to the caller.
mod code {
    /// The same again may succeed: a deadlock, a failed serialisation, a lock that was not to be had in time, a statement that
    /// took too long. Nothing of it was done.
    pub(super) const BUSY: [&str; 4] = ["40001", "40P01", "55P03", "57014"];
    /// The same again fails again: a bad value, a broken constraint, a statement that the schema does not allow, a bound.
    pub(super) const REFUSED: [&str; 5] = ["22", "23", "42", "54", "0A"];
}

/// Why a statement did not come about.
pub(super) fn of_statement(error: Error) -> Fault {
    match code_of(&error) {
        Some(code) if code::BUSY.contains(&&*code) => Fault::Busy(error.into()),
        Some(code) if code::REFUSED.iter().any(|class| code.starts_with(class)) => {
            Fault::Refused(error.into())
        }
        Some(_) | None => Fault::unavailable(error),
    }
}

/// Why a commit did not come about, or may not have: where the server has not said so, nobody knows.
pub(super) fn of_commit(error: Error) -> Fault {
    let is_told = code_of(&error).is_some_and(|code| {
        code::BUSY.contains(&&*code) || code::REFUSED.iter().any(|class| code.starts_with(class))
    });
    if is_told { of_statement(error) } else { StoreError::Unknown(error.into()).into() }
}

fn code_of(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether the connection still is what it was before the statement.
pub(super) fn leaves_it_whole(error: &Error) -> bool {
    // Class 57P is the end of the session, 08 that of the connection, 25P03 that of a transaction that idled; 25006 says that
    // this server may not be written to any more.
    let ends = |code: &str| {
        code.starts_with("57P") || code.starts_with("08") || ["25P03", "25006"].contains(&code)
    };
    code_of(error).is_some_and(|code| !ends(&code))
}
