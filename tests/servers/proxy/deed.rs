//! What a statement does to its transaction, as far as its words tell.

/// Enough to know which message commits; no parser of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Begin,
    Commit,
    Rollback,
    /// Outside of a block it commits by itself.
    Write,
    Other,
}

impl Deed {
    /// Of a statement, or of several with `;` between: those that end in `commit` commit.
    pub fn of(sql: &[u8]) -> Self {
        let text = without_comments(&String::from_utf8_lossy(sql));
        let words: Vec<_> = text
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
            .collect();
        if words.last() == Some(&"commit") {
            return Self::Commit;
        }
        match words.as_slice() {
            ["begin" | "start", ..] => Self::Begin,
            // To a savepoint: the block goes on.
            ["rollback" | "abort", rest @ ..] if !rest.contains(&"to") => Self::Rollback,
            words if writes(words) => Self::Write,
            _ => Self::Other,
        }
    }
}

/// In small letters. Two dashes in a string are taken for a comment too, which hides what follows on that line alone.
fn without_comments(sql: &str) -> String {
    let code = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    code.collect::<Vec<_>>().join("\n").to_lowercase()
}

fn writes(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| match *word {
        "insert" | "delete" => true,
        // `for update` and `for no key update` lock.
        "update" => !matches!(at.checked_sub(1).map(|before| words[before]), Some("for" | "key")),
        _ => false,
    })
}
