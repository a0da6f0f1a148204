//! What a doctor found, as people and pipes want to read it.

use std::process::ExitCode;

use serde::Serialize;

use super::error::CliError;
use super::out::{Out, Tone, one_line};
use super::{BROKEN, NOT_ALL_WELL, Reach};

/// What was found about one thing.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it stands.
    pub judgement: Judgement,
    /// What was seen.
    pub seen: String,
    /// What to do about it, where anything is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How a thing stands, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// As it should be.
    Ok,
    /// A host works, and not as well as it could.
    Warn,
    /// A host does not work.
    Fail,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, judgement: Judgement::Ok, seen: seen.into(), advice: None }
    }

    /// It could be better.
    pub fn warn(what: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { what, judgement: Judgement::Warn, seen: seen.into(), advice }
    }

    /// It keeps a host from working.
    pub fn fail(what: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { judgement: Judgement::Fail, ..Self::warn(what, seen, advice) }
    }
}

impl Judgement {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warn => Tone::Odd,
            Self::Fail => Tone::Bad,
        }
    }

    fn code(self) -> ExitCode {
        match self {
            Self::Ok => ExitCode::SUCCESS,
            Self::Warn => ExitCode::from(NOT_ALL_WELL),
            Self::Fail => ExitCode::from(BROKEN),
        }
    }
}

/// For whom findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A line each, with what to do.
    People,
    /// One JSON document.
    Pipes,
}

/// Prints what was found. The code to leave with is that of the worst.
pub fn tell(reach: &Reach, findings: &[Finding], reader: Reader) -> ExitCode {
    reach.color.choose();
    let mut out = Out::stdout();
    let written = match reader {
        Reader::People => text(findings, &mut out),
        Reader::Pipes => json(findings, &mut out),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => worst(findings).code(),
        Err(error) => error.tell(),
    }
}

fn worst(findings: &[Finding]) -> Judgement {
    findings.iter().map(|finding| finding.judgement).max().unwrap_or(Judgement::Ok)
}

fn json(findings: &[Finding], out: &mut Out) -> Result<(), CliError> {
    let document = serde_json::json!({ "worst": worst(findings), "findings": findings });
    out.line(format_args!("{document:#}"))
}

fn text(findings: &[Finding], out: &mut Out) -> Result<(), CliError> {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    for finding in findings {
        let word = finding.judgement.tone().paint(&format!("{:<4}", finding.judgement.word()));
        let (what, seen) = (finding.what, one_line(&finding.seen));
        out.line(format_args!("{word}  {what:<width$}  {seen}"))?;
        if let Some(advice) = &finding.advice {
            out.line(format_args!("{:6}{:width$}  -> {}", "", "", one_line(advice)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides() {
        let (good, odd) = (Finding::ok("a", "x"), Finding::warn("b", "x", "y"));
        let bad = Finding::fail("c", "x", "y");

        assert_eq!(worst(&[]), Judgement::Ok);
        assert_eq!(worst(&[good.clone(), odd.clone()]), Judgement::Warn);
        assert_eq!(worst(&[odd, bad, good]), Judgement::Fail);
    }
}
