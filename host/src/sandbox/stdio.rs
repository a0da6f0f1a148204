//! Stdout and stderr of a guest: what it prints goes to its notebook.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::guest::Verdict;
use super::notebook::{Notebook, Stream};
use crate::model::kind;

/// The most bytes that one write may bring.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// One of the two streams.
#[derive(Debug, Clone)]
pub(super) struct Printer {
    notebook: Arc<Mutex<Notebook>>,
    stream: Stream,
}

impl Printer {
    pub(super) fn new(notebook: Arc<Mutex<Notebook>>, stream: Stream) -> Self {
        Self { notebook, stream }
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    /// Only WASI 0.3 asks for this one, which no guest can import.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut notebook = self.notebook.lock().unwrap_or_else(PoisonError::into_inner);
        notebook.print(self.stream, &bytes).map_err(|overfull| {
            StreamError::Trap(Verdict::failed(kind::OUTPUT_EXCEEDED, overfull.to_string()))
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}
