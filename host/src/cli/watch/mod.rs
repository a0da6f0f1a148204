//! `stepwell watch`: a host and what it does, live in a terminal.
//!
//! [`feed`] reads, [`desk`] holds what was read and says what a key does, [`view`] draws. Reading, keys and drawing take turns in
//! one task; a host that hangs delays nothing but what is read of it.
//!
//! Invariants:
//! - The terminal is given back as it was found: on quit, on an error, on SIGTERM, and where this program panics.
//! - What others wrote reaches the terminal with nothing in it that steers one.
//! - Looking at a host costs it a few small requests at each interval; what is dear to count is counted more rarely.

mod close;
mod desk;
mod exposition;
mod feed;
mod past;
mod seen;
mod theme;
mod view;

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};

use self::desk::{Desk, Wish};
use self::feed::{Asked, Counting, Read, SILENT_AFTER};
use self::theme::Theme;
use super::client::Client;
use super::error::CliError;
use super::out;
use super::typed;
use crate::model::{Clock, SystemClock, parse_duration};

/// The picture is drawn so often at least, for the times in it.
const DRAWN_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct Watch {
    /// Open this execution at once
    id: Option<String>,
    /// How often the host is asked, 100ms or more
    #[arg(long, default_value = "1s", value_name = "DURATION", value_parser = interval)]
    interval: Duration,
}

/// More often would be a load and no look.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|bad| bad.to_string())?;
    let is_sane = interval >= Duration::from_millis(100);
    is_sane.then_some(interval).ok_or_else(|| "it must be 100ms or more".to_owned())
}

impl Watch {
    pub(super) async fn perform(self, client: &Client) -> Result<(), CliError> {
        let id = self.id.as_deref().map(typed::execution).transpose()?;
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(CliError::Usage(
                "watch needs a terminal to draw on; `stepwell stats --json` tells the same to a pipe".to_owned(),
            ));
        }
        let theme = if out::shows_colour() { Theme::Coloured } else { Theme::Plain };
        let mut sight = Sight {
            desk: Desk::new(client.server(), id),
            theme,
            clock: SystemClock::new(),
            interval: self.interval,
        };
        // From here on a panic gives the terminal back before it is told.
        let mut terminal = ratatui::try_init()?;
        let watched = sight.go_on(client, &mut terminal).await;
        ratatui::try_restore()?;
        watched
    }
}

/// What somebody sees.
#[derive(Debug)]
struct Sight {
    desk: Desk,
    theme: Theme,
    clock: SystemClock,
    interval: Duration,
}

/// What comes first.
#[derive(Debug)]
enum Next {
    Read(Result<Read, CliError>),
    Typed(Option<io::Result<Event>>),
    /// Nothing, but time has passed.
    Later,
    Terminated,
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// What is under way goes on.
    Same,
    /// Something is read, after so long.
    Read(Duration),
    Over,
}

impl Sight {
    async fn go_on(
        &mut self,
        client: &Client,
        terminal: &mut DefaultTerminal,
    ) -> Result<(), CliError> {
        let mut typed = EventStream::new();
        let mut terminated = signal(SignalKind::terminate())?;
        let mut counting = Counting::default();
        let mut wait = Duration::ZERO;
        loop {
            let asked = self.desk.asked();
            // It is dropped and begun anew where something else is asked for.
            let mut reading = Box::pin(read_after(wait, client, &asked, &mut counting));
            let mut course = Course::Same;
            while course == Course::Same {
                self.draw(terminal)?;
                let next = tokio::select! {
                    read = &mut reading => Next::Read(read),
                    event = typed.next() => Next::Typed(event),
                    () = tokio::time::sleep(DRAWN_EVERY) => Next::Later,
                    _ = terminated.recv() => Next::Terminated,
                };
                course = self.take(next)?;
            }
            match course {
                Course::Read(after) => wait = after,
                Course::Same | Course::Over => return Ok(()),
            }
        }
    }

    fn draw(&mut self, terminal: &mut DefaultTerminal) -> Result<(), CliError> {
        self.desk.now = self.clock.now();
        terminal.draw(|frame| view::draw(frame, &self.desk, self.theme))?;
        Ok(())
    }

    fn take(&mut self, next: Next) -> Result<Course, CliError> {
        Ok(match next {
            // What was refused for who asks would be refused again, and a wrong key is counted each time.
            Next::Read(Err(error)) if error.is_about_who_asks() => return Err(error),
            Next::Read(read) => Course::Read(self.take_in(read)),
            Next::Typed(Some(event)) => match press(&mut self.desk, &event?) {
                Wish::Draw => Course::Same,
                Wish::Read => Course::Read(Duration::ZERO),
                Wish::Quit => Course::Over,
            },
            Next::Later => Course::Same,
            Next::Typed(None) | Next::Terminated => Course::Over,
        })
    }

    /// Takes in what was read, or that nothing could be. Says how long until the next reading.
    fn take_in(&mut self, read: Result<Read, CliError>) -> Duration {
        let now = self.clock.monotonic();
        let more = match read {
            Ok(read) => self.desk.take(read, now),
            Err(error) => {
                self.desk.miss(error.brief(), now);
                false
            }
        };
        if more { Duration::ZERO } else { self.interval }
    }
}

fn press(desk: &mut Desk, event: &Event) -> Wish {
    match event {
        Event::Key(key) => desk.press(*key),
        // The next picture fits whatever size there is.
        _ => Wish::Draw,
    }
}

async fn read_after(
    wait: Duration,
    client: &Client,
    asked: &Asked,
    counting: &mut Counting,
) -> Result<Read, CliError> {
    tokio::time::sleep(wait).await;
    match tokio::time::timeout(SILENT_AFTER, feed::read(client, asked, counting)).await {
        Ok(read) => read,
        Err(_late) => Err(CliError::Unreachable {
            server: client.server(),
            why: "it took the connection and says nothing".to_owned(),
        }),
    }
}
