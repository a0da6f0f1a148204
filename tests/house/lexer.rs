//! Rust's tokens, as far as paths need them: comments, strings, characters and lifetimes are told from code.

/// What a token is; whatever is no name and no `::` is one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Name(String),
    PathSeparator,
    /// A string, a character, a number or a lifetime. Its text is never code.
    Opaque,
    Sign(char),
}

/// A token and its line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) line: usize,
}

/// The tokens of a file.
pub(crate) fn tokens(text: &str) -> Vec<Placed> {
    let mut lexer = Lexer { rest: text, line: 1, found: Vec::new() };
    while lexer.step() {}
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Placed>,
}

impl Lexer<'_> {
    /// Takes one token or one piece of nothing; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment_bytes(self.rest));
        } else if let Some(bytes) = literal_bytes(self.rest) {
            self.take(Token::Opaque, bytes);
        } else if is_name_start(first) {
            self.take_name();
        } else if self.rest.starts_with("::") {
            self.take(Token::PathSeparator, 2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.take(Token::Sign(first), first.len_utf8());
        }
        true
    }

    fn take(&mut self, token: Token, bytes: usize) {
        self.found.push(Placed { token, line: self.line });
        self.skip(bytes);
    }

    fn take_name(&mut self) {
        let raw = if self.rest.starts_with("r#") { 2 } else { 0 };
        let name: String = self.rest[raw..].chars().take_while(|c| is_name_part(*c)).collect();
        let bytes = raw + name.len();
        self.take(Token::Name(name), bytes);
    }

    fn skip(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Comments nest in Rust.
fn block_comment_bytes(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string, character, number or lifetime that the text begins with.
fn literal_bytes(text: &str) -> Option<usize> {
    raw_string_bytes(text)
        .or_else(|| string_bytes(text))
        .or_else(|| quote_bytes(text))
        .or_else(|| number_bytes(text))
}

/// `r"..."`, `br#"..."#`, `cr"..."`.
fn raw_string_bytes(text: &str) -> Option<usize> {
    let after_r = ["r", "br", "cr"].into_iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let after_hashes = after_r.trim_start_matches('#');
    let hashes = after_r.len() - after_hashes.len();
    let body = after_hashes.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

/// `"..."`, `b"..."`, `c"..."`.
fn string_bytes(text: &str) -> Option<usize> {
    let body = ["\"", "b\"", "c\""].into_iter().find_map(|prefix| text.strip_prefix(prefix))?;
    Some(text.len() - body.len() + up_to_quote(body, '"'))
}

/// `'x'`, `b'x'`, `'\n'`, or the lifetime `'a`.
fn quote_bytes(text: &str) -> Option<usize> {
    let body = text.strip_prefix("b'").or_else(|| text.strip_prefix('\''))?;
    let before = text.len() - body.len();
    let mut after = body.chars();
    let first = after.next()?;
    if first != '\\' && is_name_start(first) && after.next() != Some('\'') {
        let name: usize = body.chars().take_while(|c| is_name_part(*c)).map(char::len_utf8).sum();
        return Some(before + name);
    }
    Some(before + up_to_quote(body, '\''))
}

/// Bytes up to and with the closing quote; what follows a backslash does not close.
fn up_to_quote(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    body.len()
}

fn number_bytes(text: &str) -> Option<usize> {
    text.starts_with(|c: char| c.is_ascii_digit())
        .then(|| text.chars().take_while(|c| is_name_part(*c)).map(char::len_utf8).sum())
}
