//! The rows, as a table for people and as JSON for programs.

use std::path::Path;

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::stopwatch::Samples;

/// What a row must keep to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Budget {
    /// The value, in the row's unit.
    AtMost(f64),
    /// The value, in the row's unit.
    AtLeast(f64),
    /// The value as a multiple of the baseline.
    RatioAtMost(f64),
    /// The value, in the row's unit: so many baselines and so much more.
    AtMostBaselines(f64, f64),
    /// Measured to be known, without a budget.
    Known,
}

impl Budget {
    fn describe(self, unit: &str) -> String {
        match self {
            Self::AtMost(most) => format!("<= {} {unit}", figure(most)),
            Self::AtLeast(least) => format!(">= {} {unit}", figure(least)),
            Self::RatioAtMost(most) => format!("<= {most} x baseline"),
            Self::AtMostBaselines(times, more) => {
                format!("<= {times} x baseline + {} {unit}", figure(more))
            }
            Self::Known => "-".to_owned(),
        }
    }

    fn is_kept(self, value: f64, baseline: Option<f64>) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::RatioAtMost(most) => Some(baseline.is_some_and(|base| value <= most * base)),
            Self::AtMostBaselines(times, more) => {
                Some(baseline.is_some_and(|base| value <= times * base + more))
            }
            Self::Known => None,
        }
    }
}

/// One measured thing on one database. Everything but the first seven fields is for who wants to know how it came about.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    row: String,
    /// `none` where no database takes part.
    database: &'static str,
    value: f64,
    unit: &'static str,
    baseline: Option<f64>,
    /// Value by baseline.
    ratio: Option<f64>,
    budget: String,
    ok: Option<bool>,
    min: f64,
    max: f64,
    samples: usize,
    /// What the baseline is, and whatever else must be known to read the figure.
    note: String,
}

impl Row {
    /// A row whose value is the median of its samples.
    pub(crate) fn of(row: impl Into<String>, samples: &Samples, unit: &'static str) -> Self {
        Self {
            row: row.into(),
            database: "none",
            value: samples.median(),
            unit,
            baseline: None,
            ratio: None,
            budget: String::new(),
            ok: None,
            min: samples.min(),
            max: samples.max(),
            samples: samples.len(),
            note: String::new(),
        }
    }

    /// Another value than the median of the samples.
    pub(crate) fn at(mut self, value: f64) -> Self {
        self.value = value;
        self
    }

    pub(crate) fn on(mut self, database: &'static str) -> Self {
        self.database = database;
        self
    }

    /// What it is a multiple of, in the row's unit.
    pub(crate) fn beside(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self.ratio = Some(self.value / baseline);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn within(mut self, budget: Budget) -> Self {
        self.budget = budget.describe(self.unit);
        self.ok = budget.is_kept(self.value, self.baseline);
        self
    }
}

/// All rows of a run, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Takes what a room measured, and says it at once: a run takes minutes.
    #[expect(clippy::print_stdout, reason = "this program's work is what it prints")]
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        for row in &rows {
            println!("  {}: {} {}{}", row.row, figure(row.value), row.unit, verdict(row.ok));
        }
        self.rows.extend(rows);
    }

    #[expect(clippy::print_stdout, reason = "this program's work is what it prints")]
    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header([
            "what",
            "database",
            "median",
            "min .. max",
            "unit",
            "baseline",
            "ratio",
            "budget",
            "ok",
        ]);
        for row in &self.rows {
            let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), figure);
            table.add_row([
                row.row.clone(),
                row.database.to_owned(),
                figure(row.value),
                format!("{} .. {}", figure(row.min), figure(row.max)),
                row.unit.to_owned(),
                or_dash(row.baseline),
                or_dash(row.ratio),
                row.budget.clone(),
                verdict(row.ok).trim().to_owned(),
            ]);
        }
        println!("\n{table}\n");
        for row in self.rows.iter().filter(|row| !row.note.is_empty()) {
            println!("{}: {}", row.row, row.note);
        }
    }

    /// How many rows are not within their budget.
    pub(crate) fn breaches(&self) -> usize {
        self.rows.iter().filter(|row| row.ok == Some(false)).count()
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(&self.rows)?;
        std::fs::write(path, json + "\n").with_context(|| path.display().to_string())
    }
}

fn verdict(ok: Option<bool>) -> &'static str {
    match ok {
        Some(true) => "  ok",
        Some(false) => "  OVER",
        None => "",
    }
}

/// Three digits that matter, and no more.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
