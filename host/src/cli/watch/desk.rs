//! What is looked at, and what a key does. Pure.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::close::Closeness;
use super::feed::{Asked, Read};
use super::past::Past;
use super::seen::{Execution, Overview, Trouble};
use crate::model::{ExecutionState, Timestamp};

/// How far a page goes.
const PAGE: isize = 10;

/// All that a picture is drawn from.
#[derive(Debug)]
pub(super) struct Desk {
    /// Who is asked.
    pub(super) server: String,
    pub(super) seen: Option<Overview>,
    pub(super) past: Past,
    /// Only executions in this state are listed.
    pub(super) filter: Option<ExecutionState>,
    pub(super) focus: Focus,
    executions: Chosen,
    troubles: Chosen,
    /// An execution that is looked at closely, over the overview.
    pub(super) close: Option<Closeness>,
    pub(super) help: bool,
    pub(super) silence: Option<Silence>,
    /// When the picture is drawn, as the wall has it.
    pub(super) now: Timestamp,
}

/// The host does not answer.
#[derive(Debug, Clone)]
pub(super) struct Silence {
    /// Since when, of the monotonic time.
    pub(super) since: Duration,
    pub(super) lasted: Duration,
    pub(super) why: String,
}

/// The list that the keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Executions,
    Troubles,
}

/// What is chosen in a list: the top, or one that stays chosen where the list moves.
#[derive(Debug, Clone, Default)]
struct Chosen {
    id: Option<String>,
    /// Where it was, for the case that it leaves the list.
    place: usize,
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing but another picture.
    Draw,
    /// Something else is to be read, now.
    Read,
    Quit,
}

impl Chosen {
    fn place<'a>(&self, ids: impl ExactSizeIterator<Item = &'a str>) -> usize {
        let last = ids.len().saturating_sub(1);
        let Some(id) = &self.id else { return 0 };
        ids.into_iter().position(|known| known == id).unwrap_or(self.place.min(last))
    }

    fn by<'a>(&mut self, lines: isize, mut ids: impl ExactSizeIterator<Item = &'a str> + Clone) {
        let last = ids.len().saturating_sub(1);
        self.place = self.place(ids.clone()).saturating_add_signed(lines).min(last);
        self.id = ids.nth(self.place).filter(|_| self.place > 0).map(str::to_owned);
    }
}

impl Desk {
    pub(super) fn new(server: String, look_at: Option<String>) -> Self {
        Self {
            server,
            seen: None,
            past: Past::default(),
            filter: None,
            focus: Focus::Executions,
            executions: Chosen::default(),
            troubles: Chosen::default(),
            close: look_at.map(Closeness::new),
            help: false,
            silence: None,
            now: Timestamp::default(),
        }
    }

    /// What is to be read for the next picture.
    pub(super) fn asked(&self) -> Asked {
        match &self.close {
            Some(close) => close.asked(),
            None => Asked::Overview(self.filter),
        }
    }

    /// Takes in what was read. Says whether there is more to read at once.
    pub(super) fn take(&mut self, read: Read, now: Duration) -> bool {
        self.silence = None;
        match (read, &mut self.close) {
            (Read::Overview(mut seen), _) => {
                if let Some(readings) = seen.readings.take() {
                    self.past.take(now, readings);
                }
                self.seen = Some(*seen);
                false
            }
            (Read::Execution(read), Some(close)) => {
                let more = read.more;
                close.take(*read);
                more
            }
            (Read::Execution(_), None) => false,
        }
    }

    /// Takes in that nobody answered.
    pub(super) fn miss(&mut self, why: String, now: Duration) {
        let since = self.silence.as_ref().map_or(now, |silence| silence.since);
        self.silence = Some(Silence { since, lasted: now.saturating_sub(since), why });
    }

    pub(super) fn executions(&self) -> &[Execution] {
        self.seen.as_ref().map_or(&[], |seen| &seen.executions)
    }

    pub(super) fn troubles(&self) -> &[Trouble] {
        self.seen.as_ref().map_or(&[], |seen| &seen.troubles)
    }

    /// Which line of that list is chosen.
    pub(super) fn chosen(&self, focus: Focus) -> usize {
        match focus {
            Focus::Executions => self.executions.place(ids(self.executions())),
            Focus::Troubles => self.troubles.place(troubled(self.troubles())),
        }
    }

    /// What a key does.
    pub(super) fn press(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Draw;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => return Wish::Quit,
            KeyCode::Char('q') => return Wish::Quit,
            KeyCode::Char('?') => self.help = !self.help,
            _ if self.help => self.help = false,
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Char('h') | KeyCode::Left => {
                return self.go_back();
            }
            KeyCode::Enter | KeyCode::Char('l') | KeyCode::Right => return self.look_closely(),
            KeyCode::Tab | KeyCode::BackTab => self.go_over(),
            KeyCode::Down | KeyCode::Char('j') => self.by(1),
            KeyCode::Up | KeyCode::Char('k') => self.by(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.by(PAGE),
            KeyCode::PageUp => self.by(-PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.by(-isize::MAX),
            KeyCode::End | KeyCode::Char('G') => self.by(isize::MAX),
            KeyCode::Char(letter) if self.close.is_none() => return self.filter(letter),
            _ => {}
        }
        Wish::Draw
    }

    fn go_back(&mut self) -> Wish {
        if self.close.take().is_some() {
            return Wish::Read;
        }
        if self.filter.take().is_some() {
            return Wish::Read;
        }
        Wish::Draw
    }

    fn go_over(&mut self) {
        match &mut self.close {
            Some(close) => close.other_half(),
            None if self.focus == Focus::Executions => self.focus = Focus::Troubles,
            None => self.focus = Focus::Executions,
        }
    }

    fn look_closely(&mut self) -> Wish {
        if self.close.is_some() {
            return Wish::Draw;
        }
        let place = self.chosen(self.focus);
        let id = match self.focus {
            Focus::Executions => self.executions().get(place).map(|execution| &execution.id),
            Focus::Troubles => self.troubles().get(place).map(|trouble| &trouble.execution),
        };
        let Some(id) = id.cloned() else { return Wish::Draw };
        self.close = Some(Closeness::new(id));
        Wish::Read
    }

    fn by(&mut self, lines: isize) {
        if let Some(close) = &mut self.close {
            return close.scroll(lines);
        }
        let Some(seen) = &self.seen else { return };
        match self.focus {
            Focus::Executions => self.executions.by(lines, ids(&seen.executions)),
            Focus::Troubles => self.troubles.by(lines, troubled(&seen.troubles)),
        }
    }

    fn filter(&mut self, letter: char) -> Wish {
        let filter = match letter {
            'f' => next(self.filter),
            letter => match letter.to_digit(10).and_then(|digit| usize::try_from(digit).ok()) {
                Some(0) => None,
                Some(digit) if digit <= ExecutionState::ALL.len() => {
                    Some(ExecutionState::ALL[digit - 1])
                }
                _ => return Wish::Draw,
            },
        };
        self.filter = filter;
        self.executions = Chosen::default();
        Wish::Read
    }
}

/// All, and then each state in turn.
fn next(filter: Option<ExecutionState>) -> Option<ExecutionState> {
    let states = ExecutionState::ALL;
    match filter {
        None => states.first().copied(),
        Some(state) => {
            let place = states.iter().position(|known| *known == state);
            place.and_then(|place| states.get(place + 1)).copied()
        }
    }
}

fn ids(executions: &[Execution]) -> impl ExactSizeIterator<Item = &str> + Clone {
    executions.iter().map(|execution| execution.id.as_str())
}

fn troubled(troubles: &[Trouble]) -> impl ExactSizeIterator<Item = &str> + Clone {
    troubles.iter().map(|trouble| trouble.key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(id: &str) -> Execution {
        Execution {
            id: id.to_owned(),
            workflow: "w".to_owned(),
            state: ExecutionState::Running,
            paused_at: None,
            queue: "q".to_owned(),
            created_at: Timestamp::default(),
            completed_at: None,
            failure: None,
        }
    }

    fn desk(listed: &[&str]) -> Desk {
        let mut desk = Desk::new("http://h:1/".to_owned(), None);
        list(&mut desk, listed);
        desk
    }

    fn list(desk: &mut Desk, listed: &[&str]) {
        let executions = listed.iter().map(|id| execution(id)).collect();
        let seen = Overview { executions, ..Overview::default() };
        desk.take(Read::Overview(Box::new(seen)), Duration::ZERO);
    }

    fn press(desk: &mut Desk, code: KeyCode) -> Wish {
        desk.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn what_is_chosen_stays_chosen_where_the_list_moves() {
        let mut desk = desk(&["c", "b", "a"]);

        press(&mut desk, KeyCode::Down);
        list(&mut desk, &["e", "d", "c", "b", "a"]);

        assert_eq!(desk.chosen(Focus::Executions), 3);
        list(&mut desk, &["e", "d"]);
        assert_eq!(desk.chosen(Focus::Executions), 1);
    }

    #[test]
    fn who_has_not_chosen_looks_at_the_newest() {
        let mut desk = desk(&["b", "a"]);

        list(&mut desk, &["c", "b", "a"]);

        assert_eq!(desk.chosen(Focus::Executions), 0);
        press(&mut desk, KeyCode::Enter);
        assert_eq!(desk.close.as_ref().map(|close| close.id.as_str()), Some("c"));
    }

    #[test]
    fn enter_looks_closely_and_escape_goes_back() {
        let mut desk = desk(&["b", "a"]);

        press(&mut desk, KeyCode::Down);
        let wish = press(&mut desk, KeyCode::Enter);

        assert_eq!(wish, Wish::Read);
        let id = "a".to_owned();
        assert_eq!(desk.asked(), Asked::Execution { id, journal_after: 0, logs_after: 0 });
        assert_eq!(press(&mut desk, KeyCode::Esc), Wish::Read);
        assert_eq!(desk.asked(), Asked::Overview(None));
    }

    #[test]
    fn the_filter_goes_through_all_states_and_back_to_none() {
        let mut desk = desk(&[]);

        let mut met = Vec::new();
        for _ in ExecutionState::ALL {
            assert_eq!(press(&mut desk, KeyCode::Char('f')), Wish::Read);
            met.extend(desk.filter);
        }

        assert_eq!(met, ExecutionState::ALL);
        press(&mut desk, KeyCode::Char('f'));
        assert_eq!(desk.filter, None);
        press(&mut desk, KeyCode::Char('2'));
        assert_eq!(desk.filter, Some(ExecutionState::ALL[1]));
        press(&mut desk, KeyCode::Esc);
        assert_eq!(desk.filter, None);
    }

    #[test]
    fn an_empty_list_has_nothing_to_look_at() {
        let mut desk = desk(&[]);

        for code in [KeyCode::Down, KeyCode::Up, KeyCode::End, KeyCode::Enter, KeyCode::Tab] {
            assert_eq!(press(&mut desk, code), Wish::Draw);
        }
        assert!(desk.close.is_none());
    }

    #[test]
    fn a_key_ends_the_help_and_does_nothing_else() {
        let mut desk = desk(&["a"]);

        press(&mut desk, KeyCode::Char('?'));
        assert!(desk.help);
        press(&mut desk, KeyCode::Enter);

        assert!(!desk.help && desk.close.is_none());
        assert_eq!(press(&mut desk, KeyCode::Char('q')), Wish::Quit);
    }

    #[test]
    fn a_silence_lasts_until_somebody_answers() {
        let mut desk = desk(&["a"]);

        desk.miss("refused".to_owned(), Duration::from_secs(5));
        desk.miss("refused".to_owned(), Duration::from_secs(9));

        let lasted = desk.silence.as_ref().map(|silence| silence.lasted);
        assert_eq!(lasted, Some(Duration::from_secs(4)));
        list(&mut desk, &["a"]);
        assert!(desk.silence.is_none());
    }
}
