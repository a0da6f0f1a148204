//! JSON for people: indented, and otherwise exactly as it was written. Numbers keep their digits and objects their order.

/// Indents a JSON document by two spaces. What is no JSON comes out as some other text, and nothing worse.
pub(super) fn indented(json: &str) -> String {
    let mut page = Page { text: String::with_capacity(2 * json.len()), depth: 0 };
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => page.quote(&mut rest),
            '{' | '[' => {
                page.text.push(c);
                while rest.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if rest.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    page.text.extend(rest.next());
                } else {
                    page.depth += 1;
                    page.new_line();
                }
            }
            '}' | ']' => {
                page.depth = page.depth.saturating_sub(1);
                page.new_line();
                page.text.push(c);
            }
            ',' => {
                page.text.push(c);
                page.new_line();
            }
            ':' => page.text.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => page.text.push(other),
        }
    }
    page.text
}

struct Page {
    text: String,
    depth: usize,
}

impl Page {
    /// Deeper levels are not indented further: what is nested a million times must not become a million times as long.
    const DEPTH_MAX: usize = 64;

    fn new_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth.min(Self::DEPTH_MAX)));
    }

    fn quote(&mut self, rest: &mut impl Iterator<Item = char>) {
        self.text.push('"');
        let mut escaped = false;
        for c in rest {
            self.text.push(c);
            if c == '"' && !escaped {
                return;
            }
            escaped = c == '\\' && !escaped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_the_order_of_fields_stay() {
        let json = r#"{"b":1.0,"a":[1e3, {}],"c":"x: \"{,}\" \\"}"#;

        let expected = "{\n  \"b\": 1.0,\n  \"a\": [\n    1e3,\n    {}\n  ],\n  \"c\": \"x: \\\"{,}\\\" \\\\\"\n}";
        assert_eq!(indented(json), expected);
    }

    #[test]
    fn a_state_is_where_scripts_look_for_it() {
        assert!(indented(r#"{"state":"completed"}"#).contains("\"state\": \"completed\""));
    }

    proptest! {
        #[test]
        fn whatever_comes_goes_through(text in ".*") {
            let shown = indented(&text);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            prop_assert_eq!(letters(&shown), letters(&text));
        }
    }
}
