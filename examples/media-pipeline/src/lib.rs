//! Shrinks every picture in `/in` to half its size into `/out`, and writes a catalogue of them.
//!
//! Pictures are portable graymaps (`.pgm`, binary). Both directories are granted by an operator, who says which folders stand
//! behind them. An attempt may be repeated at any moment, so each writes under a name of its own and renames: whoever
//! reads `/out` sees whole pictures or none.

use std::fs;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stepwell::prelude::*;

/// A picture that was shrunk.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Shrunk {
    name: String,
    width: u64,
    height: u64,
    /// Of all its pixels, 0 to 255.
    brightness: u64,
}

/// What there is in `/out` now.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Catalogue {
    pictures: Vec<Shrunk>,
    /// Files that are no pictures, and why.
    refused: Vec<String>,
}

/// The names of the pictures in `/in`, in order.
#[stepwell::step(timeout = "30s")]
async fn find_pictures() -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir("/in")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".pgm") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Shrinks one picture. A file that is none would be none the next time too.
#[stepwell::step(timeout = "1m", max_concurrent = 4, retry(max_attempts = 3, never_for = ["no-picture"]))]
async fn shrink(name: String) -> Result<Shrunk, Failure> {
    let bytes = fs::read(format!("/in/{name}"))?;
    let picture = Picture::read(&bytes).ok_or_else(|| {
        Failure::new("no-picture", format!("{name} is no binary graymap of one byte a pixel"))
    })?;
    let half = picture.half();
    write_whole(&name, &half.to_bytes())?;
    stepwell::context::counter("shrunk").add(1);
    let brightness = half.pixels.iter().map(|pixel| u64::from(*pixel)).sum::<u64>();
    let brightness = brightness / (half.pixels.len() as u64).max(1);
    Ok(Shrunk { name, width: half.width as u64, height: half.height as u64, brightness })
}

/// Writes the catalogue beside the pictures.
#[stepwell::step(timeout = "30s")]
async fn write_catalogue(pictures: Vec<Shrunk>) -> Result<(), Failure> {
    let mut lines = String::from("name,width,height,brightness\n");
    for Shrunk { name, width, height, brightness } in pictures {
        lines.push_str(&format!("{name},{width},{height},{brightness}\n"));
    }
    write_whole("catalogue.csv", lines.as_bytes())
}

/// Under a name of this attempt's own, and then under the name that others read.
fn write_whole(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let attempt = stepwell::context::info().attempt;
    let own = format!("/out/.{}-{attempt}", stepwell::context::idempotency_key(name));
    fs::write(&own, bytes)?;
    Ok(fs::rename(own, format!("/out/{name}"))?)
}

/// A graymap in memory.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// `P5 <width> <height> 255 <pixels>`, without comments.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut words = Vec::new();
        while words.len() < 4 {
            let begin = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
            let length = rest[begin..].iter().position(u8::is_ascii_whitespace)?;
            words.push(std::str::from_utf8(&rest[begin..begin + length]).ok()?);
            rest = &rest[begin + length..];
        }
        let [magic, width, height, most] = words[..] else { return None };
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        // One white space stands between the head and the pixels.
        let pixels = rest.get(1..)?;
        let is_whole = pixels.len() == usize::checked_mul(width, height)?;
        (magic == "P5" && most == "255" && is_whole).then(|| Self {
            width,
            height,
            pixels: pixels.to_vec(),
        })
    }

    /// Each pixel is the mean of four.
    fn half(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let at = |x: usize, y: usize| u16::from(self.pixels[y * self.width + x]);
        let mean = |x: usize, y: usize| {
            let sum = at(2 * x, 2 * y)
                + at(2 * x + 1, 2 * y)
                + at(2 * x, 2 * y + 1)
                + at(2 * x + 1, 2 * y + 1);
            u8::try_from(sum / 4).unwrap_or(u8::MAX)
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self { width, height, pixels: pixels.map(|(x, y)| mean(x, y)).collect() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("P5 {} {} 255\n", self.width, self.height).into_bytes();
        bytes.extend_from_slice(&self.pixels);
        bytes
    }
}

/// Shrinks all pictures, as many at a time as the cluster allows.
#[stepwell::workflow]
async fn shrink_all() -> Result<Catalogue, Failure> {
    let names = find_pictures().await?;
    stepwell::context::progress(format!("{} pictures", names.len()));
    let mut catalogue = Catalogue { pictures: Vec::new(), refused: Vec::new() };
    for outcome in map_outcomes(shrink, &names).await {
        match outcome {
            Ok(picture) => catalogue.pictures.push(picture),
            Err(failure) if failure.is("no-picture") => catalogue.refused.push(failure.message),
            Err(failure) => return Err(failure),
        }
    }
    write_catalogue(&catalogue.pictures).await?;
    Ok(catalogue)
}

stepwell::module!(
    workflows: [shrink_all],
    steps: [find_pictures, shrink, write_catalogue],
    capabilities(dir = ["/in:ro", "/out:rw"]),
);
