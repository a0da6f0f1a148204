//! Bars and lines over the last quarter of an hour, as SVG.

use std::fmt::Write;

use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// One row of values, one for each part of the time.
#[derive(Debug)]
pub(super) struct Row {
    /// What it is, for the legend.
    pub(super) name: &'static str,
    /// Its class in the style sheet, which has its colour.
    pub(super) class: &'static str,
    pub(super) values: Vec<f64>,
}

/// A graph, with what it says in a sentence for those who cannot see it.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) title: &'static str,
    pub(super) sentence: String,
    pub(super) rows: Vec<Row>,
    /// How a value is told.
    pub(super) told: fn(f64) -> String,
}

impl Graph {
    /// Each part a bar, whose pieces stand one on another.
    pub(super) fn bars(&self) -> Markup {
        let parts = self.rows.first().map_or(0, |row| row.values.len());
        let mut tops = vec![0.0_f64; parts];
        let sum = |part: usize| self.rows.iter().map(|row| row.values[part]).sum::<f64>();
        let most = nice((0..parts).map(sum).fold(0.0, f64::max));
        let paths = self.rows.iter().map(|row| {
            let path = bar_path(&row.values, &mut tops, most);
            html! { path .{ (row.class) " bar" } d=(path) {} }
        });
        let paths: Vec<_> = paths.collect();
        self.frame(most, &html! { @for path in &paths { (path) } })
    }

    /// Each row a line, broken where there is no value.
    pub(super) fn lines(&self) -> Markup {
        let values = self.rows.iter().flat_map(|row| &row.values);
        let most = nice(values.copied().fold(0.0, f64::max));
        let paths = html! {
            @for row in &self.rows {
                path .{ (row.class) " line" } d=(line_path(&row.values, most)) {}
            }
        };
        self.frame(most, &paths)
    }

    fn frame(&self, most: f64, paths: &Markup) -> Markup {
        let (middle, half) = (HEIGHT / 2.0, (self.told)(most / 2.0));
        html! {
            figure .graph {
                figcaption {
                    h3 { (self.title) }
                    span .legend {
                        @for row in &self.rows { span .{ (row.class) } { (row.name) } }
                    }
                }
                div .plot {
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                        aria-label=(self.sentence) {
                        line .rule x1="0" x2=(WIDTH) y1="0.5" y2="0.5" {}
                        line .rule x1="0" x2=(WIDTH) y1=(middle) y2=(middle) {}
                        (paths)
                        line .base x1="0" x2=(WIDTH) y1=(HEIGHT - 0.5) y2=(HEIGHT - 0.5) {}
                    }
                    span .scale-most { (if most > 0.0 { (self.told)(most) } else { String::new() }) }
                    span .scale-half { (if most > 0.0 { half } else { String::new() }) }
                }
                div .axis { span { "15 min ago" } span { "10" } span { "5" } span { "now" } }
            }
        }
    }
}

fn bar_path(values: &[f64], tops: &mut [f64], most: f64) -> String {
    let mut path = String::new();
    let step = WIDTH / float(values.len().max(1));
    for (part, (value, top)) in values.iter().zip(tops).enumerate() {
        if *value <= 0.0 {
            continue;
        }
        let (x, wide) = (float(part) * step, step * 0.75);
        let from = HEIGHT - *top / most * HEIGHT;
        *top += value;
        let high = (value / most * HEIGHT).max(1.0);
        let written = write!(path, "M{x:.1} {from:.1}v-{high:.1}h{wide:.1}v{high:.1}z");
        written.expect("a text takes whatever is written");
    }
    path
}

fn line_path(values: &[f64], most: f64) -> String {
    let mut path = String::new();
    let step = WIDTH / float(values.len().max(1));
    let mut is_open = false;
    for (part, value) in values.iter().enumerate() {
        if *value <= 0.0 {
            is_open = false;
            continue;
        }
        let (x, y) = (float(part) * step, HEIGHT - value / most * HEIGHT);
        let written = if is_open {
            write!(path, "L{x:.1} {y:.1}h{step:.1}")
        } else {
            write!(path, "M{x:.1} {y:.1}h{step:.1}")
        };
        written.expect("a text takes whatever is written");
        is_open = true;
    }
    path
}

fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// The next of 1, 2, 5, 10, 20, ... that is not less.
fn nice(most: f64) -> f64 {
    if most <= 0.0 {
        return 0.0;
    }
    let power = 10.0_f64.powf(most.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= most).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        let told = [0.0, 0.3, 1.0, 3.0, 7.0, 11.0].map(|most| nice(most).to_string());

        assert_eq!(told, ["0", "0.5", "1", "5", "10", "20"]);
    }

    #[test]
    fn pieces_of_a_bar_stand_one_on_another() {
        let mut tops = [0.0];

        let low = bar_path(&[2.0], &mut tops, 4.0);
        let high = bar_path(&[2.0], &mut tops, 4.0);

        assert_eq!(low, "M0.0 120.0v-60.0h540.0v60.0z");
        assert_eq!(high, "M0.0 60.0v-60.0h540.0v60.0z");
    }
}
