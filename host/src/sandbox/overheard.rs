//! What a step says while it runs, for those who follow it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::notebook::Notebook;
use crate::model::Said;

/// Hears what one attempt says. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Overheard(Arc<OnceLock<Arc<Mutex<Notebook>>>>);

impl Overheard {
    /// From here on it hears what is written there.
    pub(super) fn listen(&self, notebook: &Arc<Mutex<Notebook>>) {
        self.0.get_or_init(|| Arc::clone(notebook));
    }

    /// Takes the lines of log and progress that were said since it was asked last: the report of the attempt holds the others.
    pub fn take(&self) -> Vec<Said> {
        let Some(notebook) = self.0.get() else { return Vec::new() };
        notebook.lock().unwrap_or_else(PoisonError::into_inner).take_lines()
    }
}
