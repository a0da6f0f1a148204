//! Looking at the world from a place that must not see it. In a workflow each of these must give the same on every replay,
//! or end in an error that says what to do instead.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stepwell::prelude::*;

use crate::plain::echo;

/// Where to look.
#[derive(Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sight {
    /// The wall clock.
    Clock,
    /// The monotonic clock.
    Monotonic,
    /// Randomness, by the keys of a hash map.
    Random,
    /// The order of a hash map.
    HashOrder,
    /// An environment variable.
    Env,
    /// A file.
    File,
    /// Writing a file.
    FileWritten,
    /// Sleeping on a thread.
    ThreadSleep,
    /// Starting a thread.
    Thread,
    /// A socket.
    Socket,
    /// The standard input.
    Stdin,
}

/// Looks in a step.
#[stepwell::step(retry(max_attempts = 1), timeout = "20s")]
pub(crate) async fn observe_in_step(sight: Sight) -> Result<String, Failure> {
    look(sight)
}

/// Looks, lets a step repeat what was seen, waits for the signal `go`, and looks again.
#[stepwell::workflow]
pub(crate) async fn observe(sight: Sight) -> Result<Vec<String>, Failure> {
    let before = look(sight)?;
    echo(Value::from(before.as_str())).await?;
    let _: Value = receive("go").await?;
    let after = look(sight)?;
    echo(Value::from(after.as_str())).await?;
    Ok(vec![before, after])
}

#[expect(clippy::disallowed_methods, reason = "that is the misbehaviour")]
fn look(sight: Sight) -> Result<String, Failure> {
    Ok(match sight {
        Sight::Clock => {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos().to_string()
        }
        Sight::Monotonic => format!("{:?}", Instant::now()),
        Sight::Random => RandomState::new().hash_one(1).to_string(),
        Sight::HashOrder => {
            let numbers: HashMap<u32, u32> = (0..32).map(|number| (number, number)).collect();
            format!("{:?}", numbers.keys().collect::<Vec<_>>())
        }
        Sight::Env => std::env::var("REGION").unwrap_or_else(|error| error.to_string()),
        Sight::File => std::fs::read_to_string("/in/greeting.txt")?,
        Sight::FileWritten => {
            std::fs::write("/out/greeting.txt", "hello")?;
            "written".to_owned()
        }
        Sight::ThreadSleep => {
            std::thread::sleep(Duration::from_secs(1));
            "slept".to_owned()
        }
        Sight::Thread => {
            std::thread::Builder::new().spawn(|| {})?;
            "started".to_owned()
        }
        Sight::Socket => {
            std::net::TcpStream::connect(("127.0.0.1", 80))?;
            "connected".to_owned()
        }
        Sight::Stdin => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
    })
}
