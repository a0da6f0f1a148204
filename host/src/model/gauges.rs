//! Gauges of what changes with every step. On the way of a step nobody tells them anything: whoever has what they show is looked
//! at when somebody asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Something whose state is shown by gauges.
pub trait Gauged: Send + Sync {
    /// Sets them to what it is now.
    fn show(&self);
}

/// As what is counted, for the whole process: it has one collection, however many hosts live in it.
static GAUGED: Mutex<Vec<Weak<dyn Gauged>>> = Mutex::new(Vec::new());

fn gauged() -> MutexGuard<'static, Vec<Weak<dyn Gauged>>> {
    GAUGED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on it is looked at, as long as it lives. Of several that set the same gauge the last one is believed.
pub fn watch_gauges<G: Gauged + 'static>(what: &Arc<G>) {
    let what: Weak<G> = Arc::downgrade(what);
    gauged().push(what);
}

/// Has all of them set to what is now.
pub fn show_gauges() {
    let living: Vec<Arc<dyn Gauged>> = {
        let mut gauged = gauged();
        gauged.retain(|what| what.strong_count() > 0);
        gauged.iter().filter_map(Weak::upgrade).collect()
    };
    living.iter().for_each(|what| what.show());
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Shown(AtomicUsize);

    impl Gauged for Shown {
        fn show(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_lives_is_looked_at_and_what_is_gone_is_forgotten() {
        let (shown, gone) = (Arc::new(Shown::default()), Arc::new(Shown::default()));
        watch_gauges(&shown);
        watch_gauges(&gone);
        let forgotten: Weak<dyn Gauged> = Arc::<Shown>::downgrade(&gone);
        drop(gone);

        show_gauges();

        assert_eq!(shown.0.load(Ordering::Relaxed), 1);
        assert!(!gauged().iter().any(|what| Weak::ptr_eq(what, &forgotten)));
    }
}
