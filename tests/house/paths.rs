//! The paths that a file's code speaks of: those of `use` trees, each written out, and those in the code itself.

use crate::lexer::{Placed, Token};

/// A path of the code, such as `crate::store::Store`, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodePath {
    /// `*` ends one that imports everything.
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// How many inline modules (`mod tests { ... }`) of its file surround it.
    pub(crate) inline_depth: usize,
}

/// Names that cannot begin a path.
const KEYWORDS: [&str; 31] = [
    "as", "async", "await", "box", "break", "const", "continue", "dyn", "else", "enum", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref",
    "return", "static", "struct", "trait", "type", "unsafe", "where", "while",
];

/// Every path of the file: of more than one segment in code, of any length in `use` and `extern crate`.
pub(crate) fn paths(tokens: &[Placed]) -> Vec<CodePath> {
    let mut walk = Walk { tokens, at: 0, braces: Vec::new(), found: Vec::new() };
    while walk.at < tokens.len() {
        walk.step();
    }
    walk.found
}

/// What an opening brace began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brace {
    Module,
    Other,
}

struct Walk<'a> {
    tokens: &'a [Placed],
    at: usize,
    braces: Vec<Brace>,
    found: Vec<CodePath>,
}

impl Walk<'_> {
    fn step(&mut self) {
        match self.name(self.at) {
            Some("mod") if self.name(self.at + 1).is_some() => self.step_module(),
            Some("use") if !self.is_sign(self.at + 1, '<') => {
                self.at += 1;
                self.use_tree(&[]);
            }
            Some("extern") if self.name(self.at + 1) == Some("crate") => {
                let name = self.name(self.at + 2).unwrap_or_default().to_owned();
                self.found_path(vec![name], self.at);
                self.at += 3;
            }
            Some(name) if KEYWORDS.contains(&name) => self.at += 1,
            Some(_) => self.path_in_code(),
            None => self.step_sign(),
        }
    }

    fn step_module(&mut self) {
        self.at += 2;
        if self.is_sign(self.at, '{') {
            self.braces.push(Brace::Module);
            self.at += 1;
        }
    }

    fn step_sign(&mut self) {
        if self.is_sign(self.at, '{') {
            self.braces.push(Brace::Other);
        } else if self.is_sign(self.at, '}') {
            self.braces.pop();
        } else if self.is_separator(self.at) && !self.goes_on_from_generics() {
            // `::name`, a path from the list of crates.
            self.at += 1;
            if self.name(self.at).is_some() {
                self.path_in_code();
            }
            return;
        }
        self.at += 1;
        if self.is_separator(self.at - 1) {
            self.skip_path();
        }
    }

    /// What follows the `::` after `Vec::<u8>` belongs to it and is no path of its own.
    fn skip_path(&mut self) {
        while self.name(self.at).is_some() || self.is_separator(self.at) {
            self.at += 1;
        }
    }

    /// Whether the `::` here follows a `>` that closes generics, and not the arrow of `-> ::name`.
    fn goes_on_from_generics(&self) -> bool {
        let before =
            |back: usize, sign: char| self.at >= back && self.is_sign(self.at - back, sign);
        before(1, '>') && !before(2, '-') && !before(2, '=')
    }

    fn path_in_code(&mut self) {
        let start = self.at;
        // `.name` is a field or a method, but `..name` ends a range.
        let after = |back: usize| start >= back && self.is_sign(start - back, '.');
        let field = after(1) && !after(2);
        let mut segments = vec![self.name(start).unwrap_or_default().to_owned()];
        self.at += 1;
        while self.is_separator(self.at) {
            self.at += 1;
            let Some(name) = self.name(self.at) else { break };
            segments.push(name.to_owned());
            self.at += 1;
        }
        if segments.len() > 1 && !field {
            self.found_path(segments, start);
        }
    }

    /// Reads one tree of a `use`, from wherever it begins to its end.
    fn use_tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        let mut last = self.at;
        self.at += usize::from(self.is_separator(self.at));
        loop {
            if self.is_sign(self.at, '{') {
                return self.use_group(&segments);
            }
            let part = match self.name(self.at) {
                Some("as") | None if !self.is_sign(self.at, '*') => break,
                part => part.unwrap_or("*").to_owned(),
            };
            // `{self}` names the module itself.
            if part != "self" || segments.is_empty() {
                segments.push(part);
            }
            last = self.at;
            self.at += 1;
            self.at += usize::from(self.is_separator(self.at));
        }
        if self.name(self.at) == Some("as") {
            self.at += 2;
        }
        if !segments.is_empty() {
            self.found_path(segments, last);
        }
    }

    fn use_group(&mut self, before: &[String]) {
        self.at += 1;
        while self.at < self.tokens.len() && !self.is_sign(self.at, '}') {
            if self.is_sign(self.at, ',') {
                self.at += 1;
                continue;
            }
            let start = self.at;
            self.use_tree(before);
            if self.at == start {
                // Something that is no `use` tree, inside a macro: go on behind it.
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn found_path(&mut self, segments: Vec<String>, at: usize) {
        let inline_depth = self.braces.iter().filter(|brace| **brace == Brace::Module).count();
        let line = self.tokens.get(at).map_or(0, |placed| placed.line);
        self.found.push(CodePath { segments, line, inline_depth });
    }

    fn name(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.token {
            Token::Name(name) => Some(name),
            Token::PathSeparator | Token::Opaque | Token::Sign(_) => None,
        }
    }

    fn is_separator(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|placed| placed.token == Token::PathSeparator)
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at).is_some_and(|placed| placed.token == Token::Sign(sign))
    }
}
