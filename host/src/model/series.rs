//! One line of Prometheus's text format, as `/metrics` has it. Pure.

/// A value and what it is of: `name{label="value",...} 12`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a> {
    /// Its name.
    pub name: &'a str,
    labels: &'a str,
    /// Its value.
    pub value: f64,
}

impl<'a> Series<'a> {
    /// Reads a line. None where it is none, such as a comment.
    pub fn read(line: &'a str) -> Option<Self> {
        let (series, value) = line.trim_end().rsplit_once(' ')?;
        let value = value.parse().ok()?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.strip_suffix('}').unwrap_or(labels);
        (!name.starts_with('#')).then_some(Self { name, labels, value })
    }

    /// The value of a label, as it is written.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.written().find(|(label, _)| *label == name).map(|(_, value)| value)
    }

    /// Its labels with their values.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, String)> {
        self.written().map(|(label, value)| (label, meant(value)))
    }

    fn written(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.labels;
        std::iter::from_fn(move || {
            let (label, behind) = rest.split_once("=\"")?;
            let end = end_of_value(behind)?;
            rest = behind.get(end + 1..)?;
            Some((label.trim_start_matches([',', ' ']), behind.get(..end)?))
        })
    }
}

/// Where the quote is that ends a value, which may hold others behind a backslash.
fn end_of_value(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, letter) in text.char_indices() {
        if letter == '"' && !escaped {
            return Some(place);
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// Without the backslashes that stand before quotes, backslashes, and an `n` for a new line.
fn meant(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            plain => plain,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_labels() {
        let line = r#"steps_total{queue="q",step="a \"b\", c=\"d\"",path="x\\y\nz",le="+Inf"} 12"#;

        let series = Series::read(line).unwrap();

        assert_eq!((series.name, series.value), ("steps_total", 12.0));
        let labels: Vec<_> = series.labels().collect();
        let texts: Vec<_> = labels.iter().map(|(label, text)| (*label, text.as_str())).collect();
        let expected =
            [("queue", "q"), ("step", "a \"b\", c=\"d\""), ("path", "x\\y\nz"), ("le", "+Inf")];
        assert_eq!(texts, expected);
        assert_eq!(series.label("queue"), Some("q"));
        assert_eq!(series.label("c"), None);
    }

    #[test]
    fn what_is_no_value_is_none() {
        for line in ["", "# TYPE a counter", "# a 1", "a b", "a{"] {
            assert_eq!(Series::read(line), None, "{line:?}");
        }
        assert!(Series::read("up 1").is_some());
    }
}
