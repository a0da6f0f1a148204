//! `docs/metrics.md`, the rules and the dashboard, against `model::metric`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use stepwell::model::metric::{self, BYTES, FUEL, Metric, MetricKind, SECONDS, SIZES};

use crate::page::{Page, quoted, root};

#[test]
fn the_page_lists_every_metric_and_no_other() {
    let page = Page::read("docs/metrics.md");
    let of_page: Vec<_> = page.rows().into_iter().map(|(_line, cells)| cells).collect();

    assert_eq!(of_page.len(), metric::ALL.len());
    for (cells, metric) in of_page.iter().zip(metric::ALL) {
        assert_eq!(quoted(&cells[0]).collect::<Vec<_>>(), [metric.name]);
        assert_eq!(cells[1], kind(metric), "{}", metric.name);
        assert_eq!(quoted(&cells[2]).collect::<Vec<_>>(), metric.labels, "{}", metric.name);
        assert_eq!(cells[3], metric.help, "{}", metric.name);
    }
}

#[test]
fn rules_and_panels_name_only_metrics_and_labels_that_exist() {
    for file in ["deploy/prometheus/rules.yaml", "deploy/grafana/stepwell.json"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let named = named_in(&text);
        assert!(named.len() > 10, "{file}: {named:?}");
        for (name, labels) in named {
            let metric = of_series(&name).unwrap_or_else(|| panic!("{file}: there is no {name}"));
            for label in labels {
                assert!(metric.labels.contains(&label.as_str()), "{file}: {name} has no {label}");
            }
        }
    }
}

#[test]
fn every_metric_is_drawn() {
    let text = fs::read_to_string(root().join("deploy/grafana/stepwell.json")).unwrap();
    let named = named_in(&text);
    let drawn: BTreeSet<_> =
        named.keys().filter_map(|name| of_series(name)).map(|metric| metric.name).collect();

    let left: Vec<_> = metric::ALL.iter().filter(|metric| !drawn.contains(metric.name)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// An alert has to be seen where it must be heard, and where it must not.
#[test]
fn every_alert_and_everything_recorded_has_a_test() {
    let read = |file: &str| fs::read_to_string(root().join("deploy/prometheus").join(file));
    let (rules, tests) = (read("rules.yaml").unwrap(), read("rules.test.yaml").unwrap());
    let named = |what: &str| {
        let names = rules.lines().filter_map(move |line| line.trim().strip_prefix(what));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let (alerts, recorded) = (named("- alert: "), named("- record: "));
    assert!(alerts.len() > 5 && recorded.len() > 2, "{alerts:?} {recorded:?}");

    let silent = |alert: &String| tests.contains(&format!("alertname: {alert}, exp_alerts: []"));
    let heard = |alert: &String| {
        let begins = format!("alertname: {alert}\n");
        let mut cases = tests.match_indices(&begins).map(|(at, _)| &tests[at + begins.len()..]);
        cases.any(|case| case.trim_start().starts_with("exp_alerts:\n"))
    };
    let tried = |name: &String| tests.contains(&format!("- expr: {name}\n"));
    let untried: Vec<_> = alerts.iter().filter(|alert| !(silent(alert) && heard(alert))).collect();
    assert!(untried.is_empty(), "rules.test.yaml does not try {untried:?}");
    let untried: Vec<_> = recorded.iter().filter(|name| !tried(name)).collect();
    assert!(untried.is_empty(), "rules.test.yaml does not try {untried:?}");
}

fn kind(metric: &Metric) -> String {
    match metric.kind {
        MetricKind::Counter => "counter".to_owned(),
        MetricKind::Gauge => "gauge".to_owned(),
        MetricKind::Histogram(bounds) => {
            let named = [(SECONDS, "seconds"), (SIZES, "sizes"), (FUEL, "fuel"), (BYTES, "bytes")];
            let name = named.into_iter().find(|(known, _)| *known == bounds).unwrap().1;
            format!("histogram ({name})")
        }
    }
}

/// The metric that a series belongs to.
fn of_series(name: &str) -> Option<Metric> {
    metric::ALL.iter().copied().find(|metric| match metric.kind {
        MetricKind::Counter | MetricKind::Gauge => metric.name == name,
        MetricKind::Histogram(_) => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|part| name.strip_suffix(part) == Some(metric.name)),
    })
}

/// Series in queries, with the labels that selectors in braces name. (`stepwell:` begins what the rules record.)
fn named_in(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (at, _) in text.match_indices("stepwell_") {
        let rest = &text[at..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let labels = named.entry(rest[..end].to_owned()).or_default();
        let Some((selector, _)) =
            rest[end..].strip_prefix('{').and_then(|rest| rest.split_once('}'))
        else {
            continue;
        };
        let names = selector.split(',').filter_map(|pair| pair.split(['=', '!']).next());
        labels.extend(names.map(|name| name.trim().to_owned()));
    }
    named
}
